-- Interest per product now and before. Time is cut into stretches of :recent_ms that end at :as_of;
-- stretch 0 is the recent one, 1 to :buckets are the baseline. A visitor counts once per product,
-- stretch and kind of act (look, put in the cart, buy).
-- `recent` counts stretch 0, `baseline` all of the others together.
WITH acts AS (
  SELECT product, visitor,
         CASE type WHEN 'purchase' THEN 2 WHEN 'cart_add' THEN 1 ELSE 0 END AS kind,
         CAST(FLOOR((:as_of - occurred_at) / CAST(:recent_ms AS DOUBLE)) AS BIGINT) AS stretch
  FROM lines
  WHERE type IN ('purchase', 'cart_add', 'view', 'click') AND visitor IS NOT NULL
    AND occurred_at <= :as_of AND occurred_at > :as_of - CAST(:buckets + 1 AS BIGINT) * :recent_ms
),
people AS (
  SELECT product, stretch, kind, COUNT(DISTINCT visitor) AS visitors
  FROM acts
  WHERE stretch <= :buckets
  GROUP BY product, stretch, kind
)
SELECT product,
       SUM(CASE WHEN stretch = 0 THEN visitors ELSE 0 END) AS recent,
       SUM(CASE WHEN stretch > 0 THEN visitors ELSE 0 END) AS baseline
FROM people
GROUP BY product
ORDER BY product
