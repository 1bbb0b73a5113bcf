-- Products per basket (one purchase event), each once; baskets of more than :max_basket_lines
-- products are wholesale orders and say little about what goes together.
SELECT unit, product, moment, size FROM (
  SELECT unit, product, moment, COUNT(*) OVER (PARTITION BY unit) AS size
  FROM (
    SELECT seq AS unit, product, MAX(occurred_at) AS moment
    FROM lines
    WHERE type = 'purchase'
    GROUP BY seq, product
  ) AS bought
) AS counted
WHERE size <= :max_basket_lines
