-- Clicks (views, clicks, cart additions) of every session of two or more, sessions in the order of
-- their last click, clicks in the order of their time. A session is the id that was sent; without
-- one, a visitor's clicks no further than :pause_ms apart. The last :max_session_clicks count.
WITH parted AS (
  SELECT visitor, session, product, occurred_at, seq, line,
         CASE WHEN session IS NULL
                   AND occurred_at - LAG(occurred_at) OVER (
                     PARTITION BY session, visitor ORDER BY occurred_at, seq, line) <= :pause_ms
              THEN 0 ELSE 1 END AS begins
  FROM lines
  WHERE type IN ('view', 'click', 'cart_add') AND (session IS NOT NULL OR visitor IS NOT NULL)
),
numbered AS (
  SELECT visitor, product, occurred_at, seq, line,
         CASE WHEN session IS NOT NULL THEN session
              ELSE CAST(-(visitor * 1000000 + SUM(begins) OVER (
                PARTITION BY session, visitor ORDER BY occurred_at, seq, line
                ROWS UNBOUNDED PRECEDING)) AS BIGINT) END AS unit
  FROM parted
),
placed AS (
  SELECT visitor, product, occurred_at, seq, line, unit,
         COUNT(*) OVER (PARTITION BY unit) AS size,
         MAX(occurred_at) OVER (PARTITION BY unit) AS ended,
         MAX(seq) OVER (PARTITION BY unit) AS last_seq,
         ROW_NUMBER() OVER (
           PARTITION BY unit ORDER BY occurred_at DESC, seq DESC, line DESC) AS place
  FROM numbered
)
SELECT unit, COALESCE(visitor, 0) AS visitor, product
FROM placed
WHERE size >= 2 AND place <= :max_session_clicks
ORDER BY ended, last_seq, unit, occurred_at, seq, line
