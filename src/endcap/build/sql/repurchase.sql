-- After how many days people buy the same product again: the median over all pairs of one visitor's
-- consecutive days of purchase. A product with fewer than :min_intervals of them takes the median
-- of its narrowest category that has enough. `basis` is 1 for the product's own, 2 for a category's.
WITH days AS (
  SELECT visitor, product, CAST(FLOOR(occurred_at / 86400000.0) AS BIGINT) AS day
  FROM lines
  WHERE type = 'purchase' AND visitor IS NOT NULL
  GROUP BY visitor, product, CAST(FLOOR(occurred_at / 86400000.0) AS BIGINT)
),
stepped AS (
  SELECT product, day - LAG(day) OVER (PARTITION BY visitor, product ORDER BY day) AS gap FROM days
),
gaps AS (
  SELECT product, gap FROM stepped WHERE gap IS NOT NULL
),
own AS (
  SELECT product, MEDIAN(gap) AS days, COUNT(*) AS intervals
  FROM gaps GROUP BY product HAVING COUNT(*) >= :min_intervals
),
category AS (
  SELECT f.feature, MEDIAN(g.gap) AS days, COUNT(*) AS intervals
  FROM gaps AS g JOIN features AS f ON f.product = g.product
  WHERE f.feature LIKE 'category:%'
  GROUP BY f.feature HAVING COUNT(*) >= :min_intervals
),
holders AS (
  SELECT feature, COUNT(*) AS products FROM features WHERE feature LIKE 'category:%' GROUP BY feature
),
narrowest AS (
  SELECT f.product, c.days, c.intervals,
         ROW_NUMBER() OVER (PARTITION BY f.product ORDER BY h.products, f.feature) AS place
  FROM features AS f
  JOIN category AS c ON c.feature = f.feature
  JOIN holders AS h ON h.feature = f.feature
)
SELECT n.product, COALESCE(o.days, n.days) AS days, COALESCE(o.intervals, n.intervals) AS intervals,
       CASE WHEN o.product IS NULL THEN 2 ELSE 1 END AS basis
FROM narrowest AS n LEFT JOIN own AS o ON o.product = n.product
WHERE n.place = 1
UNION ALL
SELECT o.product, o.days, o.intervals, 1 AS basis
FROM own AS o LEFT JOIN narrowest AS n ON n.product = o.product AND n.place = 1
WHERE n.product IS NULL
ORDER BY product
