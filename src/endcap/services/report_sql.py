"""A report as the SQL that `endcap sql` takes: what stands behind each number."""

import msgspec

from endcap.core.report import PRODUCT_DIMENSIONS, ReportQuestion
from endcap.core.times import DAY

LISTS = {"rule": "rules", "segment": "segments"}
VISITOR_DIMENSIONS = frozenset(
    {"day", "placement", "segment", "zone", "device", "experiment", "variant"}
)


class Query(msgspec.Struct, frozen=True):
    """Columns of the report with the SELECT that gives them."""

    columns: tuple[str, ...]
    sql: str


class ReportSql(msgspec.Struct, frozen=True):
    """Queries over the documented tables, as of the last build: `endcap sql` runs them."""

    queries: list[Query]


def report_sql(question: ReportQuestion) -> ReportSql:
    """The queries of a report that is checked already. Shares are quotients of these columns."""
    wanted = set(question.group_by) | set(question.filters)
    table = "assortment" if "product" in wanted else "shown"
    counted = {name: f"sum({name})" for name in ("served", "seen", "clicked")}
    if table == "shown":
        counted |= {"slates": "sum(slates)", "fallback_slates": "sum(fallback_slates)"}
    money = f"kind <> 'cart_add' AND currency = {_quoted(question.currency)}"
    credited = {
        "carted": "count(*) FILTER (kind = 'cart_add')",
        "bought": "count(*) FILTER (kind = 'purchase')",
        "orders": "count(DISTINCT seq) FILTER (kind = 'purchase')",
        "units": "coalesce(sum(quantity) FILTER (kind <> 'cart_add'), 0)",
        "revenue_minor": f"coalesce(sum(amount_minor) FILTER ({money}), 0)",
    }
    last = [f"age <= {question.window * DAY}"] + ["last"] * (question.model == "last")
    queries = [_query(question, table, counted), _query(question, "credits", credited, last)]
    if wanted <= VISITOR_DIMENSIONS:
        queries.append(_query(question, "visitors", {"visitors": "count(DISTINCT visitor)"}))
    assert "product" not in wanted or wanted <= PRODUCT_DIMENSIONS
    return ReportSql(queries)


def _query(
    question: ReportQuestion, table: str, columns: dict[str, str], more: list[str] | None = None
) -> Query:
    wanted = {*question.group_by, *question.filters}
    unfolded = "".join(f", unnest({LISTS[n]}) AS {n}" for n in sorted(wanted & set(LISTS)))
    # Shown to people; nothing here runs it.
    source = f"(SELECT *{unfolded} FROM {table})" if unfolded else table  # noqa: S608
    where = [f"day BETWEEN DATE {_quoted(question.first)} AND DATE {_quoted(question.last)}"]
    where += more or []
    where += [f"{name}::VARCHAR = {_quoted(v)}" for name, v in sorted(question.filters.items())]
    chosen = [*question.group_by, *(f"{text} AS {name}" for name, text in columns.items())]
    sql = f"SELECT {', '.join(chosen)}\nFROM {source}\nWHERE {' AND '.join(where)}"
    if question.group_by:
        sql += f"\nGROUP BY {', '.join(question.group_by)}\nORDER BY {', '.join(question.group_by)}"
    return Query(tuple(columns), sql)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
