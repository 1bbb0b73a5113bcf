-- Which product follows which: the :partners best of each product from :low to below :high, numbered
-- by `place`. A step back counts :backward of one onward; a partner's weight is divided by its
-- clicks to the power of :niche. Reads `step_weights` and `clicked`.
WITH both_ways AS (
  SELECT a, b, onward + :backward * CASE WHEN a = b THEN onward ELSE back END AS weight,
         onward_times AS times
  FROM step_weights
  WHERE a >= :low AND a < :high
  UNION ALL
  SELECT b AS a, a AS b, back + :backward * onward AS weight, back_times AS times
  FROM step_weights
  WHERE b >= :low AND b < :high AND a <> b
),
scored AS (
  SELECT w.a, w.b, w.times, CAST(w.weight / POWER(c.clicks, :niche) AS FLOAT) AS weight
  FROM both_ways AS w JOIN clicked AS c ON c.product = w.b
),
ranked AS (
  SELECT a, b, times, weight,
         ROW_NUMBER() OVER (PARTITION BY a ORDER BY weight DESC, b) AS place
  FROM scored
  WHERE weight > 0
)
SELECT a, b, times, weight, CAST(place AS INTEGER) AS place FROM ranked WHERE place <= :partners
