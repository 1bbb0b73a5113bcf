-- Decayed counts per product, zone and signal (0 views, 1 carts, 2 sales) as the live counters fold
-- them: a visitor counts once per product, signal and UTC day, at the first event in the log, in
-- all (zone -1) and in that event's zone. An event of age a counts exp(-a / lifetime) per lifetime; its
-- age is that of the step (a 240th of the lifetime) it fell into, so that equal counts stay equal.
WITH firsts AS (
  SELECT product, signal, ARG_MIN(occurred_at, seq) AS moment, ARG_MIN(COALESCE(zone, -1), seq) AS zone
  FROM (
    SELECT product, visitor, seq, occurred_at, zone,
           CASE type WHEN 'cart_add' THEN 1 WHEN 'purchase' THEN 2 ELSE 0 END AS signal,
           CAST(FLOOR(occurred_at / 86400000.0) AS BIGINT) AS day
    FROM lines
    WHERE type IN ('view', 'click', 'cart_add', 'purchase') AND visitor IS NOT NULL
  ) AS counted
  GROUP BY product, signal, visitor, day
),
placed AS (
  SELECT product, signal, moment, -1 AS zone FROM firsts
  UNION ALL
  SELECT product, signal, moment, zone FROM firsts WHERE zone >= 0
)
SELECT zone, product, signal,
       SUM(EXP((FLOOR(moment / :step_h) * :step_h - :as_of) / :lifetime_h)) AS sum_0,
       SUM(EXP((FLOOR(moment / :step_d) * :step_d - :as_of) / :lifetime_d)) AS sum_1,
       SUM(EXP((FLOOR(moment / :step_w) * :step_w - :as_of) / :lifetime_w)) AS sum_2,
       SUM(EXP((FLOOR(moment / :step_m) * :step_m - :as_of) / :lifetime_m)) AS sum_3
FROM placed
GROUP BY zone, product, signal
ORDER BY zone, product, signal
