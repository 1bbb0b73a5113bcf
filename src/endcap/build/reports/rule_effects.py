"""What rules did for the slots they touched, beside the other slots of the same place and day."""

import math
from typing import Any

from endcap.core.report import RuleEffect
from endcap.core.times import format_time
from endcap.experiments.lift import NORMAL

from .live import LiveRollups

# Strata are placements and days: a rule that works where people click much is not better for it.
# Per stratum: clicks and showings with the rule (a, n), without (b, m).
_STRATA = """
WITH s AS (
    SELECT placement, day, rules, {shown} AS n, clicked
    FROM shown WHERE day BETWEEN $first::DATE AND $last::DATE
), named AS (
    SELECT DISTINCT unnest(rules) AS rule, placement, day FROM s
), strata AS (
    SELECT rule, placement, day, sum(n) FILTER (list_contains(rules, rule)) AS n,
           sum(clicked) FILTER (list_contains(rules, rule)) AS a,
           coalesce(sum(n) FILTER (NOT list_contains(rules, rule)), 0) AS m,
           coalesce(sum(clicked) FILTER (NOT list_contains(rules, rule)), 0) AS b
    FROM named JOIN s USING (placement, day) GROUP BY ALL
)
SELECT rule, sum(n)::BIGINT AS shown, sum(a)::BIGINT AS clicked, sum(m)::BIGINT AS others_shown,
       sum(b)::BIGINT AS others_clicked, sum(a * m / nullif(n + m, 0)) AS r,
       sum(b * n / nullif(n + m, 0)) AS s,
       sum(((a + b) * n * m - a * b * (n + m)) / nullif((n + m) * (n + m), 0)) AS p
FROM strata GROUP BY rule ORDER BY rule
"""
_SEEN = "SELECT coalesce(sum(seen), 0) FROM shown WHERE day BETWEEN $first::DATE AND $last::DATE"


def rule_effects(rollups: LiveRollups, first: str, last: str) -> list[RuleEffect]:
    """One per rule that touched a product shown from `first` to `last` (ISO dates)."""
    with rollups.open() as (database, fresh):
        days: dict[str, Any] = {"first": first, "last": last}
        seen = database.execute(_SEEN, days).fetchone()
        basis = "seen" if seen and seen[0] else "served"
        rows = database.execute(_STRATA.format(shown=basis), days).fetchall()
        return [_effect(row, basis, format_time(fresh.at)) for row in rows]


def _effect(row: tuple[Any, ...], basis: str, as_of: str) -> RuleEffect:
    rule, shown, clicked, others_shown, others_clicked, r, s, p = row
    lift = low = high = None
    if clicked and others_clicked and r and s:
        # Mantel and Haenszel's ratio; the variance of its log is Greenland and Robins' (1985).
        ratio, error = float(r / s), math.sqrt(max(0.0, float(p)) / float(r * s))
        reach = NORMAL.inv_cdf(0.975) * error
        lift = ratio - 1
        low, high = (math.expm1(math.log(ratio) + sign * reach) for sign in (-1, 1))
    return RuleEffect(
        rule=rule,
        basis=basis,
        shown=shown,
        clicked=clicked,
        rate=clicked / shown if shown else None,
        others_shown=others_shown,
        others_clicked=others_clicked,
        others_rate=others_clicked / others_shown if others_shown else None,
        lift=lift,
        low=low,
        high=high,
        as_of=as_of,
    )
