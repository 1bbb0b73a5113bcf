-- Lines of customers, as far as reports count them.
SELECT l.seq, l.line, l.type, l.visitor, l.product, l.quantity, l.price_minor, l.currency,
       l.occurred_at, l.day, l.order_id, l.token, l.zone, l.device, l.placement, l.reported_minor,
       l.strategies, l.rules, l.fallback, l.experiment, l.variant, l.segments, l.micros
FROM lines AS l
ANTI JOIN excluded AS e ON e.day = l.day AND e.visitor = l.visitor
WHERE l.type IN ('served', 'impression', 'click', 'cart_add', 'purchase', 'refund', 'shadow')
