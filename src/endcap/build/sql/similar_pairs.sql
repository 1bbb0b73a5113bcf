-- Pairs of products with a feature in common, each once (a < b), with the features they share and
-- closeness = exp(-|ln(price ratio)|), 0.5 when a price is not known; variants of one group are not
-- compared. Reads `similar_weights` (product, code, stretch, idf) and `products`.
WITH alike AS (
  SELECT x.product AS a, y.product AS b, CAST(COUNT(*) AS INTEGER) AS shared,
         SUM(x.idf) AS weight
  FROM similar_weights AS x
  JOIN similar_weights AS y
    ON x.code = y.code AND x.stretch = y.stretch AND x.product < y.product
  GROUP BY x.product, y.product
)
SELECT s.a, s.b, s.shared, s.weight,
       CASE WHEN pa.price > 0 AND pb.price > 0 AND pa.currency = pb.currency
            THEN EXP(-ABS(LN(pa.price / CAST(pb.price AS DOUBLE)))) ELSE 0.5 END AS closeness
FROM alike AS s
JOIN products AS pa ON pa.product = s.a
JOIN products AS pb ON pb.product = s.b
WHERE pa.grp IS NULL OR pb.grp IS NULL OR pa.grp <> pb.grp
