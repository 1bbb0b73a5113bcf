-- What each known visitor met on a day, by placement and variant.
SELECT day, visitor, placement, experiment, variant, segments, zone, device,
       min(first_served) AS first_served, min(first_seen) AS first_seen,
       CAST(sum(slates) AS BIGINT) AS slates, CAST(sum(served) AS BIGINT) AS served,
       CAST(sum(seen) AS BIGINT) AS seen, CAST(sum(clicked) AS BIGINT) AS clicked
FROM (
    SELECT day, visitor, placement, experiment, variant, segments, zone, device,
           min(served_at) AS first_served, CAST(NULL AS BIGINT) AS first_seen,
           count(*) FILTER (line = 0) AS slates, count(product) AS served, 0 AS seen, 0 AS clicked
    FROM slates WHERE visitor <> '' AND served_at >= :first AND served_at < :until GROUP BY ALL
    UNION ALL
    SELECT day, visitor, placement, experiment, variant, segments, zone, device, NULL,
           min(touched_at), 0, 0, count(*) FILTER (kind = 'view'),
           count(*) FILTER (kind = 'click')
    FROM met WHERE kind IN ('view', 'click') GROUP BY ALL
)
GROUP BY ALL
