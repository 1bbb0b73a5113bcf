"""The performance report: what each placement, strategy, rule or product brought."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from endcap.core.report import PRODUCT_DIMENSIONS, Report, ReportQuestion, RuleEffect
from endcap.core.times import DAY, format_time

from .baseline import baseline, dicts, money
from .live import Freshness, LiveRollups
from .rule_effects import rule_effects
from .tables import quoted

# What a row can be grouped by, as a column of each table; rules and segments are lists.
_LISTS = {"rule": "rules", "segment": "segments"}
_VISITOR_DIMENSIONS = frozenset(
    {"day", "placement", "segment", "zone", "device", "experiment", "variant"}
)
_LATENCY_DIMENSIONS = _VISITOR_DIMENSIONS - {"segment"}
NONE: frozenset[str] = frozenset()
# What a table has beside its dimensions, for those that lack some.
_MEASURED = {
    "visitors": "visitor",
    "assortment": "product, served, seen, clicked",
    "latency": "micros, slates",
}
_RATES = {
    "ctr": "clicked / nullif(seen, 0)",
    "add_to_cart_rate": "carted / nullif(seen, 0)",
    "conversion": "bought / nullif(clicked, 0)",
    "revenue_per_visitor_minor": "revenue_minor / nullif(visitors, 0)",
    "fallback_share": "fallback_slates / nullif(slates, 0)",
    "coverage": "products / nullif({catalogue}, 0)",
}
# The question's rows, cut down to its dimensions once; the rows and the total are added from it.
_PARTS = {
    "q_shown": """
        SELECT {keys}sum(served) AS served, sum(slates) AS slates, sum(seen) AS seen,
               sum(clicked) AS clicked, sum(fallback_slates) AS fallback_slates
        FROM ({shown}) GROUP BY ALL""",
    "q_credits": """
        SELECT {keys}kind, seq, quantity, amount_minor, currency
        FROM ({credits}) WHERE {credited}""",
    "q_visitors": "SELECT DISTINCT {keys}hash(visitor) AS visitor FROM ({visitors})",
    "q_latency": "SELECT {keys}micros, sum(slates) AS n FROM ({latency}) GROUP BY ALL",
    "q_products": """
        SELECT {keys}product, sum(served) AS n FROM ({assortment})
        GROUP BY ALL HAVING sum(served) > 0""",
}
_ROWS = """
WITH p AS (
    SELECT {keys}product, sum(n) AS n FROM q_products GROUP BY ALL
), r AS (
    SELECT {keys}n, row_number() OVER (PARTITION BY {part} ORDER BY n DESC) AS place,
           count(*) OVER (PARTITION BY {part}) AS products
    FROM p
), waited AS (
    SELECT {keys}micros, sum(n) OVER (PARTITION BY {part} ORDER BY micros) AS upto,
           sum(n) OVER (PARTITION BY {part}) AS n
    FROM (SELECT {keys}micros, sum(n) AS n FROM q_latency GROUP BY ALL)
), parts AS (
    SELECT {keys}sum(served) AS served, sum(slates) AS slates, sum(seen) AS seen,
           sum(clicked) AS clicked, sum(fallback_slates) AS fallback_slates
    FROM q_shown GROUP BY ALL
    UNION ALL BY NAME
    SELECT {keys}count(*) FILTER (kind = 'cart_add') AS carted,
           count(*) FILTER (kind = 'purchase') AS bought,
           sum(quantity) FILTER (kind <> 'cart_add') AS units,
           count(DISTINCT seq) FILTER (kind = 'purchase') AS orders,
           sum(amount_minor) FILTER (kind <> 'cart_add' AND currency = $currency) AS revenue_minor
    FROM q_credits GROUP BY ALL
    UNION ALL BY NAME
    SELECT {keys}{visitors} AS visitors FROM q_visitors GROUP BY ALL
    UNION ALL BY NAME
    SELECT {keys}nullif(count(*), 0) AS products,
           sum(n) FILTER (place <= greatest(1, ceil(products * 0.01))) / sum(n) AS concentration,
           exp(ln(sum(n)) - sum(n * ln(n)) / sum(n)) AS diversity
    FROM r GROUP BY ALL
    UNION ALL BY NAME
    SELECT {keys}min(micros) FILTER (upto >= 0.5 * n) AS p50,
           min(micros) FILTER (upto >= 0.99 * n) AS p99
    FROM waited GROUP BY ALL
), added AS (
    SELECT {keys}coalesce(sum(served), 0)::BIGINT AS served,
           coalesce(sum(slates), 0)::BIGINT AS slates, coalesce(sum(seen), 0)::BIGINT AS seen,
           coalesce(sum(clicked), 0)::BIGINT AS clicked,
           coalesce(sum(carted), 0)::BIGINT AS carted, coalesce(sum(bought), 0)::BIGINT AS bought,
           coalesce(sum(orders), 0)::BIGINT AS orders, coalesce(sum(units), 0)::BIGINT AS units,
           coalesce(sum(revenue_minor), 0)::BIGINT AS revenue_minor,
           coalesce(sum(fallback_slates), 0)::BIGINT AS fallback_slates,
           max(visitors)::BIGINT AS visitors, max(products)::BIGINT AS products,
           max(concentration) AS concentration, max(diversity) AS diversity,
           max(p50) / 1000 AS p50_ms, max(p99) / 1000 AS p99_ms
    FROM parts GROUP BY ALL
)
SELECT *, {rates} FROM added ORDER BY {order} LIMIT {limit}
"""


class PerformanceReports:
    """Answers report questions from the rollups; `catalogue` says how many products are live."""

    def __init__(self, rollups: LiveRollups, catalogue: Callable[[], int]) -> None:
        self._rollups = rollups
        self._catalogue = catalogue

    def report(self, question: ReportQuestion) -> Report:
        """The report."""
        with self._asked(question) as (database, fresh):
            rows = dicts(database.execute(*self._rows(question, question.group_by)))
            (total,) = dicts(database.execute(*self._rows(question, ())))
            sold = baseline(database, question)
        return Report(
            first=question.first,
            last=question.last,
            group_by=question.group_by,
            window=question.window,
            model=question.model,
            currency=question.currency,
            rows=[_outward(row, question) for row in rows],
            total=_outward(total, question),
            baseline=sold,
            counted_to=fresh.seq,
            as_of=format_time(fresh.at),
        )

    def effects(self, first: str, last: str) -> list[RuleEffect]:
        """What rules did for the slots they touched, from `first` to `last`."""
        return rule_effects(self._rollups, first, last)

    def parquet(self, question: ReportQuestion) -> bytes:
        """The rows as a Parquet file; money in minor units, shares as numbers."""
        with (
            self._asked(question) as (database, _),
            TemporaryDirectory(prefix="endcap-report-") as folder,
        ):
            text, values = self._rows(question, question.group_by)
            file = Path(folder) / "report.parquet"
            database.execute(f"COPY ({text}) TO '{quoted(str(file))}' (FORMAT parquet)", values)
            return file.read_bytes()

    @contextmanager
    def _asked(
        self, question: ReportQuestion
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Freshness]]:
        """A database in which the question's rows are cut down to what it asks."""
        with self._rollups.open() as (database, fresh):
            values = _values(question)
            for name, text in _parts(question).items():
                # DuckDB takes no values in a CREATE; they are given to the SELECT that fills it.
                given = {key: value for key, value in values.items() if f"${key}" in text}
                database.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {text}", given)
            yield database, fresh

    def _rows(self, question: ReportQuestion, keys: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
        catalogue = self._catalogue()
        rates = ", ".join(
            f"{text.format(catalogue=catalogue)} AS {name}" for name, text in _RATES.items()
        )
        order = (["day"] if "day" in keys else []) + ["revenue_minor DESC", "served DESC", *keys]
        text = _ROWS.format(
            keys="".join(f"{key}, " for key in keys),
            part=", ".join(keys) or "1",
            # Per row each visitor is there once already.
            visitors="count(*)" if keys == question.group_by else "count(DISTINCT visitor)",
            rates=rates,
            order=", ".join(order),
            limit=question.limit,
        )
        return text, {"currency": question.currency}


def _values(question: ReportQuestion) -> dict[str, Any]:
    values = {"first": question.first, "last": question.last, "age": question.window * DAY}
    return values | {f"f_{name}": value for name, value in question.filters.items()}


def _parts(question: ReportQuestion) -> dict[str, str]:
    """The queries that cut the tables down; names come from a fixed list only."""
    wanted = set(question.group_by) | set(question.filters)
    shown = _table("shown", wanted, question.filters)
    # Who met a product or a strategy is not kept, nor which products a device got; the row says
    # null rather than a wrong number.
    visitors = _table("visitors", wanted, question.filters, wanted - _VISITOR_DIMENSIONS)
    by_product = "product" in wanted
    latency = _table("latency", wanted, question.filters, wanted - _LATENCY_DIMENSIONS)
    beyond = wanted - PRODUCT_DIMENSIONS
    alone = "products" if wanted <= {"day", "product"} else "assortment"
    assortment = _table(alone, wanted, question.filters, beyond)
    if by_product:
        shown = f"SELECT *, NULL AS slates, NULL AS fallback_slates FROM ({assortment})"
    if not (by_product or question.assortment):
        assortment += " LIMIT 0"
    if "product" in question.group_by:  # the rows cut down above hold it already
        assortment = "SELECT * FROM q_shown"
    return {
        name: text.format(
            keys="".join(
                f"{key}, " for key in question.group_by if key != "product" or name != "q_products"
            ),
            shown=shown,
            credits=_table("credits", wanted, question.filters),
            visitors=visitors,
            latency=latency,
            assortment=assortment,
            credited="age <= $age" + (" AND last" if question.model == "last" else ""),
        )
        for name, text in _PARTS.items()
    }


def _table(
    table: str, wanted: set[str], filters: dict[str, str], extra: set[str] | frozenset[str] = NONE
) -> str:
    """Rows of a table in the days asked for, lists unfolded where needed, filters applied.

    A table that lacks the `extra` dimensions has no rows to give.
    """
    if extra:
        missing = ", ".join(f"NULL AS {name}" for name in sorted(extra))
        have = ", ".join(f"{name}" for name in sorted(wanted - extra - set(_LISTS)))
        lists = "".join(f", NULL AS {name}" for name in _LISTS if name in wanted - extra)
        columns = ", ".join([missing + lists, *([have] if have else []), _MEASURED[table]])
        return f"SELECT {columns} FROM {table} WHERE false"
    unfolded = "".join(
        f", unnest({column}) AS {name}" for name, column in _LISTS.items() if name in wanted
    )
    where = "".join(f" AND {name}::VARCHAR = $f_{name}" for name in filters)
    return (
        f"SELECT * FROM (SELECT *{unfolded} FROM {table} "
        f"WHERE day BETWEEN $first::DATE AND $last::DATE) WHERE true{where}"
    )


def _outward(row: dict[str, Any], question: ReportQuestion) -> dict[str, Any]:
    shown = dict(row)
    if "day" in shown:
        shown["day"] = str(shown["day"])
    shown["revenue"] = money(shown.pop("revenue_minor"), question)
    per_visitor = shown.pop("revenue_per_visitor_minor")
    exact = None if per_visitor is None else round(Decimal(per_visitor))
    shown["revenue_per_visitor"] = None if exact is None else money(exact, question)
    for name in ("ctr", "add_to_cart_rate", "conversion", "fallback_share", "coverage",
                 "concentration", "diversity", "p50_ms", "p99_ms"):  # fmt: skip
        if shown[name] is not None:
            shown[name] = round(float(shown[name]), 6)
    return shown
