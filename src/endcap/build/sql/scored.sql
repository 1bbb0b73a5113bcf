-- Both directions of each pair with its evidence and score: the :max_partners best of each product
-- from :low to below :high, numbered by `place`.
--   lift = pairs * units / (total_a * total_b)
--   llr  = 2 * sum of k * ln(k / expected) over the four cells (Dunning 1993)
--   score = weight / (total_a + :shrink) / (total_b + :popularity_offset) ^ :niche
-- Reads `pairs` (a, b, pairs, weight), `totals` (product, total) and :units.
WITH both_ways AS (
  SELECT a, b, pairs, weight FROM pairs WHERE a >= :low AND a < :high
  UNION ALL
  SELECT b AS a, a AS b, pairs, weight FROM pairs WHERE b >= :low AND b < :high
),
joined AS (
  SELECT w.a, w.b, w.pairs, CAST(ta.total AS DOUBLE) AS total_a, CAST(tb.total AS DOUBLE) AS total_b,
         CAST(w.weight / (ta.total + :shrink) / POWER(tb.total + :popularity_offset, :niche)
              AS FLOAT) AS score
  FROM both_ways AS w
  JOIN totals AS ta ON ta.product = w.a
  JOIN totals AS tb ON tb.product = w.b
  WHERE ta.total >= :min_orders
),
ranked AS (
  SELECT a, b, pairs, total_a, total_b, score,
         pairs * CAST(:units AS DOUBLE) / (total_a * total_b) AS lift,
         ROW_NUMBER() OVER (PARTITION BY a ORDER BY score DESC, b) AS place
  FROM joined
  WHERE pairs * CAST(:units AS DOUBLE) / (total_a * total_b) >= :min_lift
),
cells AS (
  SELECT a, b, pairs, lift, score, place, total_a, total_b,
         CAST(pairs AS DOUBLE) AS k11, total_a - pairs AS k12, total_b - pairs AS k21,
         :units - total_a - total_b + pairs AS k22
  FROM ranked
  WHERE place <= :max_partners
)
SELECT a, b, CAST(pairs AS INTEGER) AS pairs, CAST(lift AS FLOAT) AS lift,
       CAST(2.0 * (
         CASE WHEN k11 > 0 THEN k11 * LN(k11 * :units / (total_a * total_b)) ELSE 0 END
         + CASE WHEN k12 > 0 THEN k12 * LN(k12 * :units / (total_a * (:units - total_b))) ELSE 0 END
         + CASE WHEN k21 > 0 THEN k21 * LN(k21 * :units / ((:units - total_a) * total_b)) ELSE 0 END
         + CASE WHEN k22 > 0
                THEN k22 * LN(k22 * :units / ((:units - total_a) * (:units - total_b))) ELSE 0 END
       ) AS FLOAT) AS llr,
       score, CAST(place AS INTEGER) AS place
FROM cells
