-- Clicks per product, of the sessions that count. Reads `clicks`.
SELECT product, COUNT(*) AS clicks FROM clicks WHERE session >= :first_session GROUP BY product
