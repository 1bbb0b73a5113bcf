"""All that was sold in the days of a report, beside what recommendations earned."""

from typing import Any

import duckdb

from endcap.core.money import from_minor
from endcap.core.report import Baseline, ReportQuestion
from endcap.core.times import DAY


def baseline(database: duckdb.DuckDBPyConnection, question: ReportQuestion) -> Baseline:
    """What was sold, with the part that the last touch credits."""
    values = {"first": question.first, "last": question.last, "currency": question.currency}
    days = "day BETWEEN $first::DATE AND $last::DATE"
    (sold,) = dicts(
        database.execute(
            "SELECT coalesce(sum(amount_minor) FILTER (currency = $currency), 0)::BIGINT AS net, "
            "sum(reported_minor) FILTER (currency = $currency)::BIGINT AS reported, "
            "count(DISTINCT seq) FILTER (kind = 'purchase') AS orders, "
            "coalesce(sum(quantity), 0)::BIGINT AS units, "
            "count(DISTINCT visitor) FILTER (kind = 'purchase') AS buyers, "
            "count(*) FILTER (kind = 'purchase' AND price_minor IS NULL) AS unpriced "
            f"FROM sales WHERE kind <> 'cart_add' AND {days}",
            values,
        )
    )
    others = database.execute(
        "SELECT currency, count(DISTINCT seq) FROM sales WHERE kind = 'purchase' "
        f"AND currency <> $currency AND {days} GROUP BY currency ORDER BY currency",
        values,
    ).fetchall()
    (credited,) = dicts(
        database.execute(
            "SELECT coalesce(sum(amount_minor) FILTER (currency = $currency), 0)::BIGINT AS net, "
            "count(DISTINCT seq) FILTER (kind = 'purchase') AS orders "
            f"FROM credits WHERE kind <> 'cart_add' AND last AND age <= $age AND {days}",
            values | {"age": question.window * DAY},
        )
    )
    return Baseline(
        revenue=money(sold["net"], question),
        reported=None if sold["reported"] is None else money(sold["reported"], question),
        orders=sold["orders"],
        units=sold["units"],
        buyers=sold["buyers"],
        unpriced_lines=sold["unpriced"],
        recommended=money(credited["net"], question),
        organic=money(sold["net"] - credited["net"], question),
        recommended_orders=credited["orders"],
        other_currencies=dict(others),
    )


def dicts(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows by column name."""
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def money(minor: int, question: ReportQuestion) -> str:
    """An amount as the answer has it."""
    return str(from_minor(minor, question.currency))
