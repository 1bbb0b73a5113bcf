"""What the visitors of an experiment did, added up per variant.

A visitor counts from the first slate (or impression) with the variant on, for as long as the
experiment's data is taken; who met two variants is left out, and counted as such.
"""

from typing import Any

import duckdb
import numpy as np

from endcap.core.shadow import ShadowFigures, ShadowQuestion
from endcap.core.times import DAY
from endcap.core.trial import Preferences, TrialData, TrialQuestion, TrialUnits
from endcap.experiments.moments import Sums

from .interleavings import preferences
from .live import LiveRollups
from .rollups import EPOCH, ONE_DAY
from .shadows import shadow_figures
from .trial_parts import by_day, by_kind

PRE_DAYS = 14
# Per metric: numerator and denominator per visitor, and the same before the experiment.
METRICS = {
    "click_rate": ("clicked", "seen", "0"),
    "clicking_visitors": ("(clicked > 0)::INT", "1", "0"),
    "carting_visitors": ("(carted > 0)::INT", "1", "0"),
    "buying_visitors": ("(orders > 0)::INT", "1", "(pre_orders > 0)::INT"),
    "revenue_per_visitor": ("revenue", "1", "pre_revenue"),
    "orders_per_visitor": ("orders", "1", "pre_orders"),
    "order_value": ("revenue", "orders", "0"),
}
_EXPOSED = """
CREATE OR REPLACE TEMP TABLE exposed AS
SELECT visitor, variant, min({first}) AS since
FROM visitors
WHERE experiment = $experiment AND {first} >= $start AND {first} < $until
GROUP BY visitor, variant
"""
_UNITS = """
CREATE OR REPLACE TEMP TABLE units AS
WITH once AS (
    SELECT visitor, any_value(variant) AS variant, min(since) AS since
    FROM exposed GROUP BY visitor HAVING count(*) = 1
), shown AS (
    SELECT v.visitor, sum(v.clicked) AS clicked, sum({shown}) AS seen
    FROM visitors AS v
    WHERE v.experiment = $experiment AND v.day <= $last_day::DATE
    GROUP BY v.visitor
), bought AS (
    SELECT o.visitor,
           count(*) FILTER (s.kind = 'cart_add' AND s.occurred_at >= o.since) AS carted,
           count(DISTINCT s.seq) FILTER (s.kind = 'purchase' AND s.occurred_at >= o.since)
               AS orders,
           sum(s.amount_minor) FILTER (s.kind <> 'cart_add' AND s.currency = $currency
               AND s.occurred_at >= o.since) AS revenue,
           count(DISTINCT s.seq) FILTER (s.kind = 'purchase' AND s.occurred_at < o.since)
               AS pre_orders,
           sum(s.amount_minor) FILTER (s.kind <> 'cart_add' AND s.currency = $currency
               AND s.occurred_at < o.since) AS pre_revenue
    FROM once AS o
    JOIN sales AS s ON s.visitor = o.visitor
    WHERE s.occurred_at < $until AND s.occurred_at >= o.since - $before
    GROUP BY o.visitor
)
SELECT o.visitor, o.variant, o.since, make_timestamp(o.since * 1000)::DATE AS since_day,
       coalesce(h.clicked, 0) AS clicked, coalesce(h.seen, 0) AS seen,
       coalesce(b.carted, 0) AS carted, coalesce(b.orders, 0) AS orders,
       coalesce(b.revenue, 0) AS revenue, coalesce(b.pre_orders, 0) AS pre_orders,
       coalesce(b.pre_revenue, 0) AS pre_revenue
FROM once AS o
LEFT JOIN shown AS h ON h.visitor = o.visitor
LEFT JOIN bought AS b ON b.visitor = o.visitor
"""


class TrialReports:
    """Adds up experiments from the rollups."""

    def __init__(self, rollups: LiveRollups) -> None:
        self._rollups = rollups

    def sums(self, question: TrialQuestion) -> TrialData:
        """Sums per variant and metric."""
        with self._rollups.open() as (database, fresh):
            until, reached = _until(database, question)
            in_both = _units(database, question, until)
            rows = database.execute(_sums_sql()).fetchall()
            return TrialData(
                visitors={row[0]: row[1] for row in rows},
                in_both=in_both,
                metrics={
                    metric: {row[0]: _sums(row, place) for row in rows}
                    for place, metric in enumerate(METRICS)
                },
                until=until,
                reached=reached,
                as_of=fresh.at,
            )

    def shadow(self, question: ShadowQuestion) -> ShadowFigures:
        """A draft that was worked out and not shown."""
        return shadow_figures(self._rollups, question)

    def preferences(self, question: TrialQuestion) -> Preferences:
        """How the visitors of an interleaving chose."""
        return preferences(self._rollups, question)

    def course(
        self, question: TrialQuestion, metric: str
    ) -> tuple[list[tuple[str, dict[str, Sums]]], int]:
        """A metric's sums per variant at the end of each day, and when that was."""
        with self._rollups.open() as (database, fresh):
            until, _ = _until(database, question)
            _units(database, question, until)
            values = {
                "experiment": question.name,
                "last_day": _day(until - 1),
                "currency": question.currency,
                "until": until,
            }
            shown = _shown(database, question)
            return by_day(database, question, METRICS[metric], shown, values), fresh.at

    def parts(
        self, question: TrialQuestion, metric: str, kind: str
    ) -> tuple[list[tuple[str, dict[str, Sums]]], int]:
        """A metric's sums per variant for each kind of visitors, and when that was."""
        place = list(METRICS).index(metric)
        with self._rollups.open() as (database, fresh):
            until, _ = _until(database, question)
            _units(database, question, until)
            found = by_kind(database, question, kind, ", ".join(_sums_columns()))
        parts = [(one.part, {row[0]: _sums(row, place) for row in one.rows}) for one in found]
        return parts, fresh.at

    def units(self, question: TrialQuestion, metric: str) -> TrialUnits:
        """Numerator and denominator of every visitor, for splitting them again."""
        y, d, _ = METRICS[metric]
        with self._rollups.open() as (database, _):
            until, _ = _until(database, question)
            _units(database, question, until)
            columns = database.execute(
                f"SELECT ({y})::DOUBLE AS y, ({d})::DOUBLE AS d FROM units ORDER BY visitor"
            ).fetchnumpy()
        return TrialUnits(np.ma.getdata(columns["y"]), np.ma.getdata(columns["d"]))


def _until(database: duckdb.DuckDBPyConnection, question: TrialQuestion) -> tuple[int, bool]:
    """Where the data ends, and whether the plan is reached.

    The plan is reached once its days are over and every variant has its visitors. What comes later
    is left out, so that the interval for a fixed horizon is read at one moment only; the moment
    depends on how many came, not on what they did.
    """
    _exposed(database, question, question.until)
    reached = question.start + question.days * DAY
    for variant in question.variants:
        row = database.execute(
            "SELECT since FROM exposed WHERE variant = ? ORDER BY since LIMIT 1 OFFSET ?",
            [variant, max(0, question.per_variant - 1)],
        ).fetchone()
        if row is None:
            return question.until, False
        reached = max(reached, row[0] + 1)
    return (reached, True) if reached <= question.until else (question.until, False)


def _units(database: duckdb.DuckDBPyConnection, question: TrialQuestion, until: int) -> float:
    """Make the table of visitors; return the share of them seen in several variants."""
    _exposed(database, question, until)
    sql = _UNITS.format(shown=_shown(database, question))
    values: dict[str, Any] = {
        "experiment": question.name,
        "until": until,
        "last_day": _day(until - 1),
        "before": PRE_DAYS * DAY,
        "currency": question.currency,
    }
    database.execute(sql, values)
    row = database.execute(
        "SELECT count(*) FILTER (n > 1) / nullif(count(*), 0) FROM "
        "(SELECT count(*) AS n FROM exposed GROUP BY visitor)"
    ).fetchone()
    return float(row[0] or 0) if row else 0.0


def _shown(database: duckdb.DuckDBPyConnection, question: TrialQuestion) -> str:
    """What clicks are divided by; a shop that sends no impressions is measured by servings."""
    seen = database.execute(
        "SELECT coalesce(sum(seen), 0) FROM visitors WHERE experiment = ?", [question.name]
    ).fetchone()
    return "v.seen" if seen and seen[0] else "v.served"


def _exposed(database: duckdb.DuckDBPyConnection, question: TrialQuestion, until: int) -> None:
    first = "first_seen" if question.exposure == "impression" else "first_served"
    database.execute(
        _EXPOSED.format(first=first),
        {"experiment": question.name, "start": question.start, "until": until},
    )


def _sums_sql() -> str:
    return f"SELECT {', '.join(_sums_columns())} FROM units GROUP BY variant"


def _sums_columns() -> list[str]:
    columns = ["variant", "count(*)"]
    for y, d, x in METRICS.values():
        a, b, c = f"({y})::DOUBLE", f"({d})::DOUBLE", f"({x})::DOUBLE"
        columns += [f"sum({one})" for one in (a, f"{a}*{a}", b, f"{b}*{b}", f"{a}*{b}")]
        columns += [f"sum({one})" for one in (c, f"{c}*{c}", f"{c}*{a}")]
    return columns


def _sums(row: tuple[Any, ...], place: int) -> Sums:
    start = 2 + 8 * place
    return Sums(int(row[1]), *(float(value) for value in row[start : start + 8]))


def _day(millis: int) -> str:
    return str(EPOCH + (millis // DAY) * ONE_DAY)
