-- Products alike by what the catalogue says. A shared feature counts its rarity,
-- idf = ln(1 + products / products that have it), times the weight of its kind; the sum is divided
-- by the product's own total. Close prices raise it: likeness * (0.7 + 0.3 * closeness) with
-- closeness = exp(-|ln(price ratio)|), 0.5 when a price is not known.
-- Products of one feature are compared within stretches of :stretch neighbours by price, which
-- bounds the work to rows of features times :stretch; variants of one group are not compared.
WITH weighted AS (
  SELECT f.product, f.feature,
         f.weight * LN(1.0 + :products / CAST(d.holders AS DOUBLE)) AS idf,
         FLOOR((ROW_NUMBER() OVER (PARTITION BY f.feature ORDER BY p.price, f.product) - 1)
               / CAST(:stretch AS DOUBLE)) AS stretch
  FROM features AS f
  JOIN products AS p ON p.product = f.product
  JOIN (SELECT feature, COUNT(*) AS holders FROM features GROUP BY feature) AS d
    ON d.feature = f.feature
),
totals AS (
  SELECT product, SUM(idf) AS total FROM weighted GROUP BY product
),
shared AS (
  SELECT x.product AS a, y.product AS b, COUNT(*) AS shared, SUM(x.idf) AS weight
  FROM weighted AS x
  JOIN weighted AS y
    ON x.feature = y.feature AND x.stretch = y.stretch AND x.product <> y.product
  GROUP BY x.product, y.product
),
priced AS (
  SELECT s.a, s.b, s.shared, s.weight / t.total AS likeness,
         CASE WHEN pa.price > 0 AND pb.price > 0 AND pa.currency = pb.currency
              THEN EXP(-ABS(LN(pa.price / CAST(pb.price AS DOUBLE)))) ELSE 0.5 END AS closeness
  FROM shared AS s
  JOIN totals AS t ON t.product = s.a
  JOIN products AS pa ON pa.product = s.a
  JOIN products AS pb ON pb.product = s.b
  WHERE pa.grp IS NULL OR pb.grp IS NULL OR pa.grp <> pb.grp
),
ranked AS (
  SELECT a, b, shared, closeness, likeness * (0.7 + 0.3 * closeness) AS score,
         ROW_NUMBER() OVER (
           PARTITION BY a ORDER BY likeness * (0.7 + 0.3 * closeness) DESC, b) AS place
  FROM priced
)
SELECT a, b, shared, closeness, score FROM ranked WHERE place <= :max_partners ORDER BY a, place
