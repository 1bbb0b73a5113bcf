-- A draft's slate beside the one that was shown for the same request.
WITH drafted AS (
    SELECT token, any_value(day) AS day, any_value(placement) AS placement,
           any_value(variant) AS version, any_value(visitor) AS visitor,
           any_value(occurred_at) AS served_at, any_value(micros) AS micros,
           coalesce(list(product ORDER BY line) FILTER (product IS NOT NULL), []) AS drafted
    FROM clean
    WHERE type = 'shadow' AND occurred_at >= :first AND occurred_at < :until
    GROUP BY token
), given AS (
    SELECT token, coalesce(list(product ORDER BY line) FILTER (product IS NOT NULL), []) AS shown
    FROM slates GROUP BY token
)
SELECT d.day, d.token, d.placement, d.version, d.visitor, d.served_at, d.micros, d.drafted, g.shown
FROM drafted AS d JOIN given AS g ON g.token = d.token
