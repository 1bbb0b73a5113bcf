-- Clicks (views, clicks, cart additions) of every session of two or more: sessions are numbered in
-- the order of their last click, places within a session from 0 in the order of time. A session is
-- the id that was sent; without one, a visitor's clicks no further than :pause_ms apart. The last
-- :max_session_clicks count.
WITH parted AS (
  SELECT visitor, product, occurred_at, seq, line,
         CASE WHEN occurred_at - LAG(occurred_at) OVER (
                PARTITION BY visitor ORDER BY occurred_at, seq, line) <= :pause_ms
              THEN 0 ELSE 1 END AS begins
  FROM lines
  WHERE type IN ('view', 'click', 'cart_add') AND session IS NULL AND visitor IS NOT NULL
),
acts AS (
  SELECT session AS unit, visitor, product, occurred_at, seq, line
  FROM lines
  WHERE type IN ('view', 'click', 'cart_add') AND session IS NOT NULL
  UNION ALL
  SELECT CAST(-(visitor * 1000000 + SUM(begins) OVER (
           PARTITION BY visitor ORDER BY occurred_at, seq, line
           ROWS UNBOUNDED PRECEDING)) AS BIGINT) AS unit,
         visitor, product, occurred_at, seq, line
  FROM parted
),
units AS (
  SELECT unit, COUNT(*) AS size, MAX(occurred_at) AS ended, MAX(seq) AS last_seq
  FROM acts
  GROUP BY unit
  HAVING COUNT(*) >= 2
),
numbered AS (
  SELECT unit, size, ROW_NUMBER() OVER (ORDER BY ended, last_seq, unit) - 1 AS session FROM units
),
placed AS (
  SELECT n.session, n.size, a.visitor, a.product,
         ROW_NUMBER() OVER (
           PARTITION BY a.unit ORDER BY a.occurred_at DESC, a.seq DESC, a.line DESC) AS back
  FROM acts AS a JOIN numbered AS n ON n.unit = a.unit
)
SELECT CAST(session AS INTEGER) AS session,
       CAST(LEAST(size, :max_session_clicks) - back AS INTEGER) AS place,
       COALESCE(visitor, 0) AS visitor, product
FROM placed
WHERE back <= :max_session_clicks
