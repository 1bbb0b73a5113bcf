-- Which products were served, seen and clicked, by placement and strategy.
SELECT day, placement, strategy, product, CAST(sum(served) AS BIGINT) AS served,
       CAST(sum(seen) AS BIGINT) AS seen, CAST(sum(clicked) AS BIGINT) AS clicked
FROM (
    SELECT day, placement, strategy, product, count(*) AS served, 0 AS seen, 0 AS clicked
    FROM slates WHERE product IS NOT NULL AND served_at >= :first AND served_at < :until
    GROUP BY ALL
    UNION ALL
    SELECT day, placement, strategy, product, 0, count(*) FILTER (kind = 'view'),
           count(*) FILTER (kind = 'click')
    FROM met WHERE kind IN ('view', 'click') GROUP BY ALL
)
GROUP BY ALL
