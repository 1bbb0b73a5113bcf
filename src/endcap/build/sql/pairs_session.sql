-- Products viewed per visit: a session, or a visitor's day when no session was sent; the most
-- recent :max_session_products of a visit count.
SELECT unit, product, moment, size FROM (
  SELECT unit, product, moment,
         COUNT(*) OVER (PARTITION BY unit) AS size,
         ROW_NUMBER() OVER (PARTITION BY unit ORDER BY moment DESC, product) AS place
  FROM (
    SELECT unit, product, MAX(occurred_at) AS moment
    FROM (
      SELECT CASE WHEN session IS NULL
                  THEN -(visitor * 1000000 + CAST(FLOOR(occurred_at / 86400000.0) AS BIGINT))
                  ELSE session END AS unit,
             product, occurred_at
      FROM lines
      WHERE type IN ('view', 'click') AND (session IS NOT NULL OR visitor IS NOT NULL)
    ) AS visits
    GROUP BY unit, product
  ) AS seen
) AS ranked
WHERE place <= :max_session_products
