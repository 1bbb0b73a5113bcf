-- Steps summed per pair of products and direction: a step over `gap` places counts 1 / gap ^ :fade,
-- a session of age a (in sessions) exp(-a / :lifetime); up to :reach places count. Reads `steps`.
SELECT a, b,
       SUM(CASE WHEN gap > 0 THEN weight ELSE 0 END) AS onward,
       SUM(CASE WHEN gap < 0 THEN weight ELSE 0 END) AS back,
       CAST(SUM(CASE WHEN gap > 0 THEN 1 ELSE 0 END) AS INTEGER) AS onward_times,
       CAST(SUM(CASE WHEN gap < 0 THEN 1 ELSE 0 END) AS INTEGER) AS back_times
FROM (
  SELECT a, b, gap,
         EXP((session - :last_session) / :lifetime) * POWER(ABS(gap), -:fade) AS weight
  FROM steps
  WHERE ABS(gap) <= :reach
) AS weighed
GROUP BY a, b
