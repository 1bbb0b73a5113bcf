-- Products served, seen and clicked, each on its own day; the product itself is left out.
SELECT day, placement, experiment, variant, strategy, rules, segments, zone, device,
       CAST(sum(served) AS BIGINT) AS served, CAST(sum(seen) AS BIGINT) AS seen,
       CAST(sum(clicked) AS BIGINT) AS clicked, CAST(sum(slates) AS BIGINT) AS slates,
       CAST(sum(fallback_slates) AS BIGINT) AS fallback_slates
FROM (
    SELECT day, placement, experiment, variant, strategy, rules, segments, zone, device,
           count(product) AS served, 0 AS seen, 0 AS clicked, count(*) FILTER (line = 0) AS slates,
           count(*) FILTER (line = 0 AND fell_back) AS fallback_slates
    FROM slates WHERE served_at >= :first AND served_at < :until GROUP BY ALL
    UNION ALL
    SELECT day, placement, experiment, variant, strategy, rules, segments, zone, device,
           0, count(*) FILTER (kind = 'view'), count(*) FILTER (kind = 'click'), 0, 0
    FROM met WHERE kind IN ('view', 'click') GROUP BY ALL
)
GROUP BY ALL
