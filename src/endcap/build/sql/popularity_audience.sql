-- Popularity per audience and product, counted as in popularity.sql. An audience is a shipping zone
-- or a segment of visitors; the :max_audience best products of each are kept.
-- Reads `audience_lines` (audience, product, type, visitor, seq, occurred_at).
WITH recent AS (
  SELECT audience, product, type, visitor, seq
  FROM audience_lines
  WHERE occurred_at > :since AND occurred_at <= :as_of
),
counted AS (
  SELECT audience, product,
         COUNT(DISTINCT CASE WHEN type = 'purchase' THEN visitor END) AS buyers,
         COUNT(DISTINCT CASE WHEN type = 'purchase' THEN seq END)
           - COUNT(DISTINCT CASE WHEN type = 'refund' THEN seq END) AS net_orders,
         COUNT(DISTINCT CASE WHEN type = 'cart_add' THEN visitor END) AS carters,
         COUNT(DISTINCT CASE WHEN type IN ('view', 'click') THEN visitor END) AS viewers
  FROM recent
  GROUP BY audience, product
),
scored AS (
  SELECT audience, product, buyers, GREATEST(net_orders, 0) AS orders,
         :weight_purchase * buyers + :weight_cart * carters + :weight_view * viewers AS score
  FROM counted
),
ranked AS (
  SELECT audience, product, buyers, orders, score,
         ROW_NUMBER() OVER (PARTITION BY audience ORDER BY score DESC, product) AS place
  FROM scored
  WHERE score > 0
)
SELECT audience, product, buyers, orders, score
FROM ranked WHERE place <= :max_audience ORDER BY audience, place
