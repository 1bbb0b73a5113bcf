-- What each customer buys: per product the sum of :basket_decay ^ (baskets since), over the
-- customer's last :max_baskets baskets (one purchase event each). Customers in the order of their
-- last purchase. `kept` says whether the product of the last basket had been bought before.
WITH bought AS (
  SELECT DISTINCT visitor, product, seq, occurred_at
  FROM lines
  WHERE type = 'purchase' AND visitor IS NOT NULL
),
ranked AS (
  SELECT visitor, product, seq, occurred_at,
         DENSE_RANK() OVER (PARTITION BY visitor ORDER BY occurred_at DESC, seq DESC) - 1 AS lag
  FROM bought
),
weighed AS (
  SELECT visitor, product, SUM(POWER(:basket_decay, lag)) AS weight,
         MIN(lag) AS newest, MAX(lag) AS oldest, MAX(occurred_at) AS latest, MAX(seq) AS last_seq
  FROM ranked
  WHERE lag < :max_baskets
  GROUP BY visitor, product
),
placed AS (
  SELECT visitor, product, weight,
         CASE WHEN newest = 0 AND MAX(oldest) OVER (PARTITION BY visitor) > 0
              THEN CASE WHEN oldest > 0 THEN 1 ELSE 0 END ELSE -1 END AS kept,
         MAX(latest) OVER (PARTITION BY visitor) AS ended,
         MAX(last_seq) OVER (PARTITION BY visitor) AS ended_seq
  FROM weighed
)
SELECT visitor, product, weight, kept
FROM placed
ORDER BY ended, ended_seq, visitor, product
