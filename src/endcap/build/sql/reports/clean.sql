-- Lines of customers.
SELECT l.*
FROM lines AS l
ANTI JOIN excluded AS e ON e.day = l.day AND e.visitor = l.visitor
