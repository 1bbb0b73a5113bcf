"""The statements that make the kernels' input tables of the archive and the catalogue's files."""

NO_ARCHIVE = """
CREATE VIEW archived AS
SELECT CAST(0 AS BIGINT) AS seq, 0 AS line, '' AS type, '' AS visitor, '' AS session, '' AS product,
       CAST(0 AS BIGINT) AS quantity, CAST(0 AS BIGINT) AS price_minor,
       CAST(0 AS BIGINT) AS occurred_at, '' AS query, CAST([] AS VARCHAR[]) AS offers,
       '' AS zone, '' AS device, '' AS currency, '' AS traffic, '' AS merged
WHERE false
"""
# What a browser did before a login belongs to whoever logged in next: the first merge after it.
# A merge row that names no other pseudonym would only say so again.
MERGES = """
CREATE TABLE merges AS
SELECT merged AS name, seq, visitor AS known FROM archived
WHERE type = 'merge' AND merged IS NOT NULL AND merged <> visitor
"""
PEOPLE = """
CREATE VIEW people AS
SELECT a.* REPLACE (COALESCE(m.known, a.visitor) AS visitor)
FROM archived AS a
ASOF LEFT JOIN merges AS m ON a.visitor = m.name AND a.seq < m.seq
"""
NUMBERED = """
CREATE TABLE {field}s AS SELECT {field} AS name, row_number() OVER () AS number
FROM (SELECT DISTINCT {field} FROM people
      WHERE {field} IS NOT NULL AND {field} <> '' AND product IS NOT NULL)
"""
ZONES = """
CREATE TABLE zones AS SELECT zone AS name, row_number() OVER (ORDER BY zone) - 1 AS number
FROM (SELECT zone FROM archived WHERE zone IS NOT NULL AND product IS NOT NULL
      GROUP BY zone ORDER BY COUNT(*) DESC, zone LIMIT 200)
"""
LINES = """
CREATE TABLE lines AS
SELECT a.seq, a.line, a.type,
       CAST(v.number AS BIGINT) AS visitor, CAST(s.number AS BIGINT) AS session,
       p.product, a.quantity, a.price_minor, a.occurred_at, CAST(z.number AS INTEGER) AS zone
FROM people AS a
JOIN products AS p ON p.id = a.product
LEFT JOIN visitors AS v ON v.name = a.visitor
LEFT JOIN sessions AS s ON s.name = a.session
LEFT JOIN zones AS z ON z.name = a.zone
WHERE a.type IN ('purchase', 'refund', 'cart_add', 'view', 'click') AND a.traffic IS NULL
"""
# What is known of each visitor, as `ingest.fold` counts it: everything but searches and what was
# only seen. The newest 100 acts say which category a visitor likes best.
TRAITS = """
CREATE TABLE traits AS
SELECT CAST(v.number AS BIGINT) AS visitor,
       COUNT(DISTINCT CASE WHEN type = 'purchase' THEN seq END) AS orders,
       CAST(SUM(CASE WHEN COALESCE(currency, '') <> '{currency}' THEN 0
                     WHEN type = 'purchase' THEN COALESCE(price_minor, 0) * quantity
                     WHEN type = 'refund' THEN -COALESCE(price_minor, 0) * quantity
                     ELSE 0 END) AS BIGINT) AS spend,
       MIN(occurred_at) AS first_seen, MAX(occurred_at) AS last_seen,
       COALESCE(MAX(CASE WHEN type = 'purchase' THEN occurred_at END), -1) AS last_order,
       COALESCE(ARG_MAX(zone, (occurred_at, zone)) FILTER (WHERE zone <> ''), '') AS zone,
       COALESCE(ARG_MAX(device, (occurred_at, device)) FILTER (WHERE device <> ''), '') AS device
FROM people AS a JOIN visitors AS v ON v.name = a.visitor
WHERE type IN {kept} AND traffic IS NULL
GROUP BY v.number
"""
FAVOURITES = """
CREATE TABLE favourites AS
WITH newest AS (
  SELECT v.number AS visitor, a.type, p.category,
         ROW_NUMBER() OVER (PARTITION BY v.number
                            ORDER BY occurred_at DESC, type DESC, a.product DESC) AS place
  FROM people AS a JOIN visitors AS v ON v.name = a.visitor
  LEFT JOIN products AS p ON p.id = a.product
  WHERE type IN {kept} AND traffic IS NULL AND a.product IS NOT NULL
),
weighed AS (
  SELECT visitor, category,
         SUM(CASE type WHEN 'view' THEN 1 WHEN 'click' THEN 1 WHEN 'cart_add' THEN 3
                       WHEN 'wishlist_add' THEN 3 WHEN 'purchase' THEN 5 ELSE 0 END) AS weight
  FROM newest WHERE place <= {newest} AND category IS NOT NULL GROUP BY visitor, category
),
ranked AS (
  SELECT visitor, category,
         ROW_NUMBER() OVER (PARTITION BY visitor ORDER BY weight DESC, category) AS place
  FROM weighed WHERE weight > 0
)
SELECT CAST(visitor AS BIGINT) AS visitor, category FROM ranked WHERE place = 1
"""
# What each kernel's input is made of, as one number per event type; features beside them.
INPUTS = """
CREATE TABLE inputs AS
SELECT type AS name, COUNT(*) AS size,
       BIT_XOR(HASH(seq, line, visitor, session, product, occurred_at)) AS digest
FROM people
WHERE product IS NOT NULL AND traffic IS NULL
GROUP BY type
UNION ALL
SELECT 'features', COUNT(*), BIT_XOR(HASH(product, feature, weight)) FROM features
UNION ALL
SELECT 'products', COUNT(*), BIT_XOR(HASH(product, grp, price, currency)) FROM products
"""
QUERIES = """
SELECT DISTINCT query FROM archived WHERE type = 'search' AND query IS NOT NULL ORDER BY query
"""
OFFERED = """
CREATE TABLE offered AS
SELECT name, COUNT(*) AS times
FROM (SELECT DISTINCT seq, unnest(offers) AS name FROM archived
      WHERE type = 'served' AND offers IS NOT NULL) AS made
GROUP BY name ORDER BY name
"""
SEARCHES = """
CREATE TABLE searches AS
SELECT CAST(v.number AS BIGINT) AS visitor, CAST(s.number AS BIGINT) AS session, t.term,
       a.occurred_at
FROM people AS a
JOIN terms AS t ON t.query = a.query
JOIN visitors AS v ON v.name = a.visitor
LEFT JOIN sessions AS s ON s.name = a.session
WHERE a.type = 'search' AND a.traffic IS NULL
"""
