-- Lines put in the cart, bought and given back. An order that came twice (from the browser and from
-- the shop's server) counts on the first day it has, as it came first. A refund takes its price from its purchase when it
-- names none, and is negative.
WITH own AS (
    SELECT seq, line, type AS kind, order_id, visitor, product, quantity, price_minor, currency,
           reported_minor, occurred_at, day, zone, device
    FROM clean
    WHERE type IN ('cart_add', 'purchase', 'refund') AND product IS NOT NULL
      AND occurred_at >= :first AND occurred_at < :until
),
firsts AS (
    SELECT DISTINCT ON (order_id) order_id, seq
    FROM own WHERE kind = 'purchase' AND order_id IS NOT NULL ORDER BY order_id, day, seq
),
kept AS (
    SELECT o.*
    FROM own AS o
    LEFT JOIN firsts AS f ON f.order_id = o.order_id
    WHERE o.kind <> 'purchase' OR o.order_id IS NULL
       OR (f.seq = o.seq AND o.order_id NOT IN (
            SELECT order_id FROM earlier_sales WHERE kind = 'purchase' AND order_id IS NOT NULL))
),
bought AS (
    SELECT seq, line, order_id, visitor, product, occurred_at, price_minor, currency FROM kept
    WHERE kind = 'purchase'
    UNION ALL
    SELECT seq, line, order_id, visitor, product, occurred_at, price_minor, currency
    FROM earlier_sales
    WHERE kind = 'purchase' AND product IN (SELECT product FROM kept WHERE kind = 'refund')
),
returned AS (
    SELECT r.seq, r.line, b.seq AS of_seq, b.line AS of_line, b.price_minor AS of_price,
           b.currency AS of_currency
    FROM kept AS r
    JOIN bought AS b
      ON b.product = r.product AND b.occurred_at <= r.occurred_at
     AND (b.order_id = r.order_id OR (r.order_id IS NULL AND b.visitor = r.visitor))
    WHERE r.kind = 'refund'
    QUALIFY row_number() OVER (PARTITION BY r.seq, r.line ORDER BY b.occurred_at DESC, b.seq DESC,
                               b.line) = 1
)
SELECT k.kind, k.seq, k.line, k.order_id, k.visitor, k.product,
       CASE k.kind WHEN 'refund' THEN -k.quantity ELSE k.quantity END AS quantity,
       coalesce(k.price_minor, r.of_price) AS price_minor,
       CASE k.kind WHEN 'refund' THEN -1 ELSE 1 END * k.quantity
           * coalesce(k.price_minor, r.of_price) AS amount_minor,
       coalesce(k.currency, r.of_currency) AS currency,
       CASE WHEN k.line = 0 THEN k.reported_minor END AS reported_minor,
       k.occurred_at, k.day, k.zone, k.device, r.of_seq, r.of_line
FROM kept AS k
LEFT JOIN returned AS r ON r.seq = k.seq AND r.line = k.line
