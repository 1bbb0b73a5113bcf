"""An experiment's metric day by day, and by kinds of visitors.

Both work on the table `units` of `trials`: the same visitors, and the same sums in the end.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np

from endcap.core.trial import PartSums, TrialQuestion
from endcap.experiments.moments import Sums

_DAYS = """
WITH inc AS (
    SELECT u.visitor, since_day AS day, 0 AS clicked, 0 AS seen, 0 AS carted, 0 AS orders,
           0 AS revenue
    FROM units AS u
    UNION ALL BY NAME
    SELECT v.visitor, greatest(v.day, u.since_day) AS day, v.clicked, {shown} AS seen
    FROM visitors AS v JOIN units AS u USING (visitor)
    WHERE v.experiment = $experiment AND v.day <= $last_day::DATE
    UNION ALL BY NAME
    SELECT s.visitor, s.day, (s.kind = 'cart_add')::INT AS carted,
           (s.kind = 'purchase' AND row_number() OVER (
               PARTITION BY s.kind, s.seq ORDER BY s.line) = 1)::INT AS orders,
           CASE WHEN s.kind <> 'cart_add' AND s.currency = $currency THEN s.amount_minor END
               AS revenue
    FROM sales AS s JOIN units AS u USING (visitor)
    WHERE s.occurred_at >= u.since AND s.occurred_at < $until
), added AS (
    SELECT visitor, day, sum(coalesce(clicked, 0)) AS clicked, sum(coalesce(seen, 0)) AS seen,
           sum(coalesce(carted, 0)) AS carted, sum(coalesce(orders, 0)) AS orders,
           sum(coalesce(revenue, 0)) AS revenue
    FROM inc GROUP BY ALL
), so_far AS (
    SELECT a.visitor, a.day, u.variant, u.pre_orders, u.pre_revenue,
           sum(a.clicked) OVER w AS clicked, sum(a.seen) OVER w AS seen,
           sum(a.carted) OVER w AS carted, sum(a.orders) OVER w AS orders,
           sum(a.revenue) OVER w AS revenue
    FROM added AS a JOIN units AS u USING (visitor)
    WINDOW w AS (PARTITION BY a.visitor ORDER BY a.day)
), val AS (
    SELECT visitor, day, variant, ({y})::DOUBLE AS y, ({d})::DOUBLE AS d, ({x})::DOUBLE AS x
    FROM so_far
), step AS (
    SELECT day, variant, y, d, x, lag(y, 1, 0) OVER v AS y0, lag(d, 1, 0) OVER v AS d0,
           row_number() OVER v = 1 AS first
    FROM val WINDOW v AS (PARTITION BY visitor ORDER BY day)
)
SELECT day, variant, sum(first::INT), sum(y - y0), sum(y*y - y0*y0), sum(d - d0),
       sum(d*d - d0*d0), sum(y*d - y0*d0), sum(x * first::INT), sum(x*x * first::INT),
       sum(x * (y - y0))
FROM step GROUP BY ALL ORDER BY day
"""
# What a visitor is: as met first in the experiment, or by what was bought before.
KINDS = {
    "device": "arg_min(device, first_served)",
    "zone": "arg_min(zone, first_served)",
    "segment": "unnest(arg_min(segments, first_served))",
}
_BEFORE = "CASE WHEN pre_orders > 0 THEN 'bought before' ELSE 'new or idle' END"


def by_day(
    database: duckdb.DuckDBPyConnection,
    question: TrialQuestion,
    metric: tuple[str, str, str],
    shown: str,
    values: Mapping[str, Any],
) -> list[tuple[str, dict[str, Sums]]]:
    """Sums per variant at the end of each day; the last are those of the results.

    A visitor's square changes only on days on which the visitor does something, so each day adds
    what changed: one pass, however many days.
    """
    y, d, x = metric
    sql = _DAYS.format(y=y, d=d, x=x, shown=shown)
    rows = database.execute(sql, dict(values)).fetchall()
    so_far = {name: np.zeros(9) for name in question.variants}
    days: dict[str, dict[str, Sums]] = {}
    for day, variant, *parts in rows:
        if variant in so_far:
            so_far[variant] = so_far[variant] + np.array(parts, np.float64)
        days[str(day)] = {n: Sums(int(s[0]), *s[1:].tolist()) for n, s in so_far.items()}
    return list(days.items())


def by_kind(
    database: duckdb.DuckDBPyConnection, question: TrialQuestion, kind: str, sums: str
) -> list[PartSums]:
    """Sums of every metric per kind of visitor and variant, the largest kinds first.

    `sums` are the columns to add up over `units`, after the variant.
    """
    if kind == "before":
        source = f"SELECT visitor, {_BEFORE} AS part FROM units"
    else:
        source = (
            f"SELECT visitor, {KINDS[kind]} AS part FROM visitors "
            "WHERE experiment = $experiment AND first_served IS NOT NULL GROUP BY visitor"
        )
    rows = database.execute(
        f"SELECT part::VARCHAR AS part, {sums} FROM units JOIN ({source}) USING (visitor) "
        "WHERE part IS NOT NULL GROUP BY part, variant "
        "ORDER BY sum(count(*)) OVER (PARTITION BY part) DESC, part, variant",
        {} if kind == "before" else {"experiment": question.name},
    ).fetchall()
    parts: dict[str, PartSums] = {}
    for part, *row in rows:
        parts.setdefault(part, PartSums(part, [])).rows.append(tuple(row))
    return list(parts.values())
