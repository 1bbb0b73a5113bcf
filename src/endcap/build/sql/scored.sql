-- Both directions of each pair with its evidence and score, best partners first.
--   lift = pairs * units / (total_a * total_b)
--   llr  = 2 * sum of k * ln(k / expected) over the four cells (Dunning 1993)
--   score = weight / (total_a + :shrink) / (total_b + :popularity_offset) ^ :niche
-- Reads `pairs` (a, b, pairs, weight), `totals` (product, total) and :units.
WITH both_ways AS (
  SELECT a, b, pairs, weight FROM pairs
  UNION ALL
  SELECT b AS a, a AS b, pairs, weight FROM pairs
),
joined AS (
  SELECT w.a, w.b, w.pairs, w.weight,
         CAST(ta.total AS DOUBLE) AS total_a, CAST(tb.total AS DOUBLE) AS total_b,
         CAST(w.pairs AS DOUBLE) AS k11,
         CAST(ta.total - w.pairs AS DOUBLE) AS k12,
         CAST(tb.total - w.pairs AS DOUBLE) AS k21,
         CAST(:units - ta.total - tb.total + w.pairs AS DOUBLE) AS k22
  FROM both_ways AS w
  JOIN totals AS ta ON ta.product = w.a
  JOIN totals AS tb ON tb.product = w.b
  WHERE ta.total >= :min_orders
),
measured AS (
  SELECT a, b, pairs,
         pairs * CAST(:units AS DOUBLE) / (total_a * total_b) AS lift,
         2.0 * (
           CASE WHEN k11 > 0 THEN k11 * LN(k11 * :units / (total_a * total_b)) ELSE 0 END
           + CASE WHEN k12 > 0 THEN k12 * LN(k12 * :units / (total_a * (:units - total_b))) ELSE 0 END
           + CASE WHEN k21 > 0 THEN k21 * LN(k21 * :units / ((:units - total_a) * total_b)) ELSE 0 END
           + CASE WHEN k22 > 0
                  THEN k22 * LN(k22 * :units / ((:units - total_a) * (:units - total_b))) ELSE 0 END
         ) AS llr,
         weight / (total_a + :shrink) / POWER(total_b + :popularity_offset, :niche) AS score
  FROM joined
),
ranked AS (
  SELECT a, b, pairs, lift, llr, score,
         ROW_NUMBER() OVER (PARTITION BY a ORDER BY score DESC, b) AS place
  FROM measured
  WHERE lift >= :min_lift
)
SELECT a, b, pairs, lift, llr, score FROM ranked WHERE place <= :max_partners ORDER BY a, place
