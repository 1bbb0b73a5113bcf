-- What people went to after a search term: a look, a cart or a purchase counts for the latest search
-- of the same session (of the same visitor when no session was sent) within :search_window_ms before
-- it. Visitors are counted, not clicks. score = 0.2 clicks + 0.5 carts + purchases.
-- Reads `searches` (visitor, session, term, occurred_at) and `lines`.
WITH acts AS (
  SELECT l.seq, l.product, l.type, l.visitor, s.term,
         ROW_NUMBER() OVER (
           PARTITION BY l.seq, l.product ORDER BY s.occurred_at DESC, s.term) AS place
  FROM (SELECT seq, product, type, visitor, occurred_at, COALESCE(session, -visitor) AS who
        FROM lines
        WHERE type IN ('view', 'click', 'cart_add', 'purchase') AND visitor IS NOT NULL) AS l
  JOIN (SELECT term, occurred_at, COALESCE(session, -visitor) AS who FROM searches) AS s
    ON s.who = l.who AND s.occurred_at <= l.occurred_at
   AND s.occurred_at >= l.occurred_at - :search_window_ms
),
counted AS (
  SELECT term, product,
         COUNT(DISTINCT CASE WHEN type IN ('view', 'click') THEN visitor END) AS clicks,
         COUNT(DISTINCT CASE WHEN type = 'cart_add' THEN visitor END) AS carts,
         COUNT(DISTINCT CASE WHEN type = 'purchase' THEN visitor END) AS purchases
  FROM acts
  WHERE place = 1
  GROUP BY term, product
),
scored AS (
  SELECT term, product, clicks, carts, purchases,
         CAST(0.2 * clicks + 0.5 * carts + purchases AS FLOAT) AS score
  FROM counted
),
ranked AS (
  SELECT term, product, clicks, carts, purchases, score,
         ROW_NUMBER() OVER (PARTITION BY term ORDER BY score DESC, product) AS place
  FROM scored
)
SELECT term, product, clicks, carts, purchases, score
FROM ranked WHERE place <= :max_partners ORDER BY term, place
