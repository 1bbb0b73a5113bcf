-- The lines of each audience: shipping zones are numbered as in `zones`, the cohorts of customers
-- follow from :zones on (new, loyal, lapsed, big_spender). A customer's cohorts are those of :as_of:
--   new: one order, at most :new_days ago      loyal: at least :loyal_orders orders
--   lapsed: the last order more than :lapsed_days ago
--   big_spender: spent more than nine in ten customers did
WITH customers AS (
  SELECT visitor, COUNT(DISTINCT seq) AS orders, MAX(occurred_at) AS latest,
         SUM(COALESCE(price_minor, 0) * quantity) AS spend
  FROM lines
  WHERE type = 'purchase' AND visitor IS NOT NULL AND occurred_at <= :as_of
  GROUP BY visitor
),
placed AS (
  SELECT visitor, orders, latest, spend, PERCENT_RANK() OVER (ORDER BY spend) AS part FROM customers
),
cohorts AS (
  SELECT visitor, :zones + 0 AS audience FROM placed
  WHERE orders = 1 AND latest >= :as_of - CAST(:new_days AS BIGINT) * 86400000
  UNION ALL
  SELECT visitor, :zones + 1 AS audience FROM placed WHERE orders >= :loyal_orders
  UNION ALL
  SELECT visitor, :zones + 2 AS audience FROM placed
  WHERE latest < :as_of - CAST(:lapsed_days AS BIGINT) * 86400000
  UNION ALL
  SELECT visitor, :zones + 3 AS audience FROM placed WHERE part >= 0.9 AND spend > 0
)
SELECT zone AS audience, product, type, visitor, seq, occurred_at FROM lines WHERE zone IS NOT NULL
UNION ALL
SELECT c.audience, l.product, l.type, l.visitor, l.seq, l.occurred_at
FROM lines AS l JOIN cohorts AS c ON c.visitor = l.visitor
