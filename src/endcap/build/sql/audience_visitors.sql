-- When each visitor of an audience last bought, put in the cart and looked at a product.
-- Shipping zones are numbered as in `zones`, the cohorts of visitors follow from :zones on (new, loyal, lapsed, big_spender). A visitor's cohorts are those of :as_of:
--   new: first seen at most :new_days ago, no order yet
--   loyal: at least :loyal_orders orders, the last at most :lapsed_days ago
--   lapsed: bought before, but not for :lapsed_days
--   big_spender: spent at least :big_spend minor units, net of refunds
-- Segments of the shop's own come after those: `members` (audience, visitor) says who is in which.
WITH visitors AS (
  SELECT visitor, MIN(occurred_at) AS first_seen,
         COUNT(DISTINCT CASE WHEN type = 'purchase' THEN seq END) AS orders,
         MAX(CASE WHEN type = 'purchase' THEN occurred_at END) AS latest,
         SUM(CASE type WHEN 'purchase' THEN COALESCE(price_minor, 0) * quantity
                       WHEN 'refund' THEN -COALESCE(price_minor, 0) * quantity ELSE 0 END) AS spend
  FROM lines
  WHERE visitor IS NOT NULL AND occurred_at <= :as_of
  GROUP BY visitor
),
cohorts AS (
  SELECT visitor, :zones + 0 AS audience FROM visitors
  WHERE orders = 0 AND first_seen >= :as_of - CAST(:new_days AS BIGINT) * 86400000
  UNION ALL
  SELECT visitor, :zones + 1 AS audience FROM visitors
  WHERE orders >= :loyal_orders AND latest >= :as_of - CAST(:lapsed_days AS BIGINT) * 86400000
  UNION ALL
  SELECT visitor, :zones + 2 AS audience FROM visitors
  WHERE latest < :as_of - CAST(:lapsed_days AS BIGINT) * 86400000
  UNION ALL
  SELECT visitor, :zones + 3 AS audience FROM visitors WHERE spend >= :big_spend
  UNION ALL
  SELECT visitor, audience FROM members
),
latest AS (
  SELECT zone, product, visitor,
         MAX(CASE WHEN type = 'purchase' THEN occurred_at END) AS bought,
         MAX(CASE WHEN type = 'cart_add' THEN occurred_at END) AS carted,
         MAX(CASE WHEN type IN ('view', 'click') THEN occurred_at END) AS viewed
  FROM lines
  WHERE visitor IS NOT NULL AND occurred_at <= :as_of
  GROUP BY zone, product, visitor
)
SELECT zone AS audience, product, visitor, bought, carted, viewed FROM latest WHERE zone IS NOT NULL
UNION ALL
SELECT c.audience, l.product, l.visitor, MAX(l.bought) AS bought, MAX(l.carted) AS carted,
       MAX(l.viewed) AS viewed
FROM latest AS l JOIN cohorts AS c ON c.visitor = l.visitor
GROUP BY c.audience, l.product, l.visitor
