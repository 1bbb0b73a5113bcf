-- Purchased products per visitor, one row per (visitor, product) with the latest purchase;
-- a visitor's most recent :max_products_per_visitor products count.
SELECT unit, product, moment, size FROM (
  SELECT unit, product, moment,
         COUNT(*) OVER (PARTITION BY unit) AS size,
         ROW_NUMBER() OVER (PARTITION BY unit ORDER BY moment DESC, product) AS place
  FROM (
    SELECT visitor AS unit, product, MAX(occurred_at) AS moment
    FROM lines
    WHERE type = 'purchase' AND visitor IS NOT NULL
    GROUP BY visitor, product
  ) AS bought
) AS ranked
WHERE place <= :max_products_per_visitor
