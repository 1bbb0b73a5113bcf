-- What each feature says of its products: its rarity, idf = ln(1 + products / products that have it),
-- times the weight of its kind. Products of one feature are cut into stretches of :stretch
-- neighbours by price, which bounds the pairs to rows of features times :stretch.
SELECT f.product, f.code,
       CAST(FLOOR((ROW_NUMBER() OVER (PARTITION BY f.code ORDER BY p.price, f.product) - 1)
                  / CAST(:stretch AS DOUBLE)) AS INTEGER) AS stretch,
       f.weight * LN(1.0 + :products / CAST(d.holders AS DOUBLE)) AS idf
FROM features AS f
JOIN products AS p ON p.product = f.product
JOIN (SELECT code, COUNT(*) AS holders FROM features GROUP BY code) AS d ON d.code = f.code
