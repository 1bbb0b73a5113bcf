-- Popularity per audience and product: distinct visitors, weighed as in popularity.sql. An audience is
-- a shipping zone or a cohort of visitors; the :max_audience best products of each are kept.
-- Reads `audience_visitors` (audience, product, visitor, bought, carted, viewed).
WITH counted AS (
  SELECT audience, product,
         SUM(CASE WHEN bought > :since THEN 1 ELSE 0 END) AS buyers,
         SUM(CASE WHEN carted > :since THEN 1 ELSE 0 END) AS carters,
         SUM(CASE WHEN viewed > :since THEN 1 ELSE 0 END) AS viewers
  FROM audience_visitors
  GROUP BY audience, product
),
scored AS (
  SELECT audience, product, buyers, viewers,
         CAST(:weight_purchase * buyers + :weight_cart * carters + :weight_view * viewers AS FLOAT)
           AS score
  FROM counted
),
ranked AS (
  SELECT audience, product, buyers, viewers, score,
         ROW_NUMBER() OVER (PARTITION BY audience ORDER BY score DESC, product) AS place
  FROM scored
  WHERE score > 0
)
SELECT audience, product, buyers, viewers, score
FROM ranked WHERE place <= :max_audience ORDER BY audience, place
