-- The first time a served product was seen, clicked, or put in the cart from the slate itself.
-- The event must name the slate's token, a product of that slate, and be of the visitor that the
-- slate was served to; so a made-up token counts nothing.
SELECT * FROM (
SELECT CASE r.type WHEN 'impression' THEN 'view' WHEN 'click' THEN 'click' ELSE 'cart' END AS kind,
       s.token, s.product, r.visitor, r.occurred_at AS touched_at, r.day, s.placement,
       s.experiment, s.variant, s.strategy, s.rules, s.segments, s.zone, s.device
FROM clean AS r
JOIN slates AS s
  ON s.token = r.token AND s.product = r.product AND s.visitor IN (r.visitor, '')
 AND r.occurred_at BETWEEN s.served_at - 3600000 AND s.served_at + :slate_life
WHERE r.type IN ('impression', 'click', 'cart_add')
QUALIFY row_number() OVER (
    PARTITION BY r.type, s.token, s.product ORDER BY r.occurred_at, r.seq, r.line
) = 1
)
WHERE touched_at >= :first AND touched_at < :until
