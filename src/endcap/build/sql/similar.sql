-- Products alike by what the catalogue says: the :max_partners best of each product from :low to
-- below :high, numbered by `place`. The weight of the features in common is divided by the product's
-- own total; close prices raise it: likeness * (0.7 + 0.3 * closeness).
-- Reads `similar_pairs` (a, b, shared, weight, closeness) and `similar_weights`.
WITH totals AS (
  SELECT product, SUM(idf) AS total FROM similar_weights
  WHERE product >= :low AND product < :high
  GROUP BY product
),
both_ways AS (
  SELECT a, b, shared, weight, closeness FROM similar_pairs WHERE a >= :low AND a < :high
  UNION ALL
  SELECT b AS a, a AS b, shared, weight, closeness FROM similar_pairs WHERE b >= :low AND b < :high
),
scored AS (
  SELECT s.a, s.b, s.shared, CAST(s.closeness AS FLOAT) AS closeness,
         CAST(s.weight / t.total * (0.7 + 0.3 * s.closeness) AS FLOAT) AS score
  FROM both_ways AS s JOIN totals AS t ON t.product = s.a
),
ranked AS (
  SELECT a, b, shared, closeness, score,
         ROW_NUMBER() OVER (PARTITION BY a ORDER BY score DESC, b) AS place
  FROM scored
)
SELECT a, b, shared, closeness, score, CAST(place AS INTEGER) AS place
FROM ranked WHERE place <= :max_partners
