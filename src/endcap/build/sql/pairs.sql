-- Product pairs that units hold together, each unordered pair once (a < b): how many units hold
-- both, and their weight. A unit weighs 1/sqrt(its size), as in a cosine between products, and is
-- halved in effect by age as exp(-age / half the history), so small and recent units say more.
-- Reads `units` (unit, product, moment, size); both purchases lie within :window_ms of one another.
SELECT x.product AS a, y.product AS b,
       COUNT(*) AS pairs,
       SUM(EXP(-(:as_of - GREATEST(x.moment, y.moment)) / :half_history_ms) / SQRT(x.size)) AS weight
FROM units AS x
JOIN units AS y ON x.unit = y.unit AND x.product < y.product
WHERE ABS(x.moment - y.moment) <= :window_ms
GROUP BY x.product, y.product
HAVING COUNT(*) >= :min_pairs
