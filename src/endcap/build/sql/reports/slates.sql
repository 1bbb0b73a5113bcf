-- One row per product served. An item counts for the strategy with the largest share in it, so
-- that strategies add up; a slate with nothing in it keeps one row without a product.
SELECT token, line, product, visitor, occurred_at AS served_at, day, placement, experiment, variant,
       coalesce(strategies[1], 'unknown') AS strategy, coalesce(rules, []) AS rules,
       coalesce(segments, []) AS segments, zone, device, fallback IS NOT NULL AS fell_back
FROM clean
WHERE type = 'served' AND token IS NOT NULL
