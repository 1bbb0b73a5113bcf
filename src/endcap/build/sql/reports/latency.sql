-- How long answers took: slates by microseconds, rounded up to two digits, so that the parts of
-- any two days add up and quantiles are at most a tenth too high.
SELECT day, placement, experiment, variant, zone, device, micros, count(*) AS slates
FROM (
    SELECT c.* REPLACE (CAST(ceil(micros / step) * step AS BIGINT) AS micros)
    FROM (
        SELECT *, pow(10, greatest(0, length(CAST(micros AS VARCHAR)) - 2)) AS step FROM clean
        WHERE type = 'served' AND line = 0 AND micros > 0
          AND occurred_at >= :first AND occurred_at < :until
    ) AS c
)
GROUP BY ALL
