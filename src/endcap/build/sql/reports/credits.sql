-- Credit of a line to the slates that the same visitor touched, for the same product, at most
-- :window milliseconds before. One row per line and touch; `last` marks the one touch that counts
-- under last touch (a click goes before a mere view). `age` lets a report take a shorter window.
-- A refund follows the credit of its purchase.
WITH touched AS (
    SELECT * FROM touches
    UNION ALL BY NAME
    SELECT * FROM earlier_touches
),
slate_touched AS (
    -- A slate that was seen, then clicked, touched once: by the click.
    SELECT * FROM touched
    QUALIFY row_number() OVER (
        PARTITION BY token, product ORDER BY kind = 'view', touched_at, kind
    ) = 1
),
earned AS (
    SELECT s.kind, s.seq, s.line, s.order_id, s.visitor, s.product, s.quantity, s.amount_minor,
           s.currency, s.day, s.occurred_at, t.kind AS touch, t.token, t.placement, t.experiment,
           t.variant, t.strategy, t.rules, t.segments, t.zone, t.device,
           s.occurred_at - t.touched_at AS age,
           row_number() OVER (
               PARTITION BY s.seq, s.line ORDER BY t.kind = 'view', t.touched_at DESC, t.token
           ) = 1 AS last
    FROM sales AS s
    JOIN slate_touched AS t
      ON t.visitor = s.visitor AND t.product = s.product
     AND s.occurred_at - t.touched_at BETWEEN 0 AND :window
    WHERE s.kind IN ('cart_add', 'purchase')
)
SELECT * FROM earned
UNION ALL BY NAME
SELECT s.kind, s.seq, s.line, s.order_id, s.visitor, s.product, s.quantity, s.amount_minor,
       s.currency, s.day, s.occurred_at, e.touch, e.token, e.placement, e.experiment, e.variant,
       e.strategy, e.rules, e.segments, e.zone, e.device, e.age, e.last
FROM sales AS s
JOIN (SELECT * FROM earned UNION ALL BY NAME SELECT * FROM earlier_credits) AS e
  ON e.seq = s.of_seq AND e.line = s.of_line AND e.kind = 'purchase'
WHERE s.kind = 'refund'
