-- Visitors that are no customers, by day: a program, the shop's staff, or more events than a
-- person makes.
SELECT day, visitor
FROM lines
WHERE visitor <> '' AND type NOT IN ('served', 'exposure', 'shadow')
GROUP BY day, visitor
HAVING bool_or(traffic IS NOT NULL) OR (:heavy > 0 AND count(DISTINCT seq) > :heavy)
