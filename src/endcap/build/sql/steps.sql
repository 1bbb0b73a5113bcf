-- Pairs of clicks of one session that are 1 to :reach places apart, each once: `gap` is above 0
-- when the product with the lower number came first. Reads `clicks`, sessions from :first_session.
SELECT LEAST(x.product, y.product) AS a, GREATEST(x.product, y.product) AS b,
       CAST(CASE WHEN x.product <= y.product THEN y.place - x.place
                 ELSE x.place - y.place END AS SMALLINT) AS gap,
       x.session
FROM clicks AS x
JOIN clicks AS y
  ON x.session = y.session AND y.place > x.place AND y.place <= x.place + :reach
WHERE x.session >= :first_session
