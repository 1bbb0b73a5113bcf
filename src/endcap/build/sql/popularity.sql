-- Popularity per product and window that ends at :as_of and begins after :since: distinct visitors who bought,
-- put in the cart, or viewed, and orders less refunds (never below zero). Counting visitors, not
-- events, keeps one visitor's clicks from moving the ranking.
WITH recent AS (
  SELECT product, type, visitor, seq
  FROM lines
  WHERE occurred_at > :since AND occurred_at <= :as_of
    AND type IN ('purchase', 'refund', 'cart_add', 'view', 'click')
),
counted AS (
  SELECT product,
         COUNT(DISTINCT CASE WHEN type = 'purchase' THEN visitor END) AS buyers,
         COUNT(DISTINCT CASE WHEN type = 'purchase' THEN seq END)
           - COUNT(DISTINCT CASE WHEN type = 'refund' THEN seq END) AS net_orders,
         COUNT(DISTINCT CASE WHEN type = 'cart_add' THEN visitor END) AS carters,
         COUNT(DISTINCT CASE WHEN type IN ('view', 'click') THEN visitor END) AS viewers
  FROM recent
  GROUP BY product
)
SELECT product, buyers, GREATEST(net_orders, 0) AS orders, carters, viewers,
       :weight_purchase * buyers + :weight_cart * carters + :weight_view * viewers AS score
FROM counted
ORDER BY product
