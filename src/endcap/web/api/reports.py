"""Reports: what was shown, clicked and sold; as JSON, CSV or Parquet."""

import csv
import io
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.report import DIMENSIONS, MAX_ROWS, Report, ReportQuestion, RuleEffect
from endcap.services.report_sql import ReportSql, report_sql
from endcap.web.call import Call, answer, flag, number
from endcap.web.operations import Operation, Parameter

FORMATS = ("json", "csv", "parquet")


async def get_performance_sql(call: Call) -> Response:
    """The SQL behind a report's numbers."""
    question = call.services.reports.checked(_question(call, call.query()))
    return answer(report_sql(question))


class RuleEffects(msgspec.Struct, frozen=True):
    """Rules by name, with the days they were measured over."""

    first: str
    last: str
    data: list[RuleEffect]


async def get_rule_effects(call: Call) -> Response:
    """What rules did for the slots they touched."""
    query, usual = call.query(), call.services.reports.question(("rule",))
    first, last = query.get("from", [usual.first])[-1], query.get("to", [usual.last])[-1]
    asked = msgspec.structs.replace(usual, first=first, last=last)
    return answer(RuleEffects(first, last, await call.services.reports.effects(call.shop, asked)))


async def get_performance(call: Call) -> Response:
    """Rows by dimension, the total, and what was sold without recommendations."""
    query = call.query()
    question = _question(call, query)
    form = query.get("format", ["json"])[-1]
    if form not in FORMATS:
        problem = FieldProblem("/query/format", "not_allowed", f"must be {', '.join(FORMATS)}")
        raise InvalidInput("the report cannot be made", [problem])
    if form == "parquet":
        content = await call.services.reports.parquet(call.shop, question)
        return _file(content, "application/vnd.apache.parquet", form)
    report = await call.services.reports.performance(call.shop, question)
    if form == "csv":
        return _file(_csv(report), "text/csv; charset=utf-8", form)
    return answer(report)


def _question(call: Call, query: dict[str, list[str]]) -> ReportQuestion:
    def text(name: str, default: str) -> str:
        return query.get(name, [default])[-1]

    usual = call.services.reports.question()
    groups = [n for value in query.get("group_by", ["placement"]) for n in value.split(",") if n]
    return msgspec.structs.replace(
        usual,
        group_by=tuple(groups),
        first=text("from", usual.first),
        last=text("to", usual.last),
        filters={name: query[name][-1] for name in DIMENSIONS if name in query},
        window=number(query, "window", usual.window),
        model=text("model", usual.model),
        currency=text("currency", usual.currency),
        limit=number(query, "limit", usual.limit),
        assortment=flag(query, "assortment"),
    )


def _csv(report: Report) -> bytes:
    text = io.StringIO()
    names = list(report.total)
    columns = [*report.group_by, *names]
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in report.rows)
    return text.getvalue().encode()


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        try:
            float(value)
        except ValueError:
            return f"'{value}"
    return value


def _file(content: bytes, kind: str, ending: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="performance.{ending}"'}
    return Response(content, media_type=kind, headers=headers)


GROUP_BY = Parameter(
    "group_by",
    "Dimensions; repeat, or separate by commas.",
    {
        "type": "array",
        "items": {"type": "string", "enum": list(DIMENSIONS)},
        "maxItems": 3,
    },
)
DATE = {"type": "string", "format": "date"}
DAYS = (
    Parameter("from", "First day (UTC); else 27 days ago.", DATE),
    Parameter("to", "Last day (UTC); else today.", DATE),
)
OPERATIONS = (
    Operation(
        id="get_performance_sql",
        method="GET",
        path="/v1/reports/performance/sql",
        handler=get_performance_sql,
        scope="reports:read",
        tag="Reports",
        about="The SQL that gives the numbers of a report, for `endcap sql`: over the documented "
        "tables, as of the last build.",
        parameters=(
            GROUP_BY,
            *DAYS,
            *(Parameter(name, f"Only this {name}.") for name in DIMENSIONS),
            Parameter("window", "Attribution window in days.", {"type": "integer", "minimum": 1}),
            Parameter("model", "Who gets the credit.", {"type": "string", "enum": ["last", "any"]}),
            Parameter("currency", "Currency of the revenue; else the shop's."),
        ),
        answer=ReportSql,
        errors=(InvalidInput,),
    ),
    Operation(
        id="get_rule_effects",
        method="GET",
        path="/v1/reports/rules",
        handler=get_rule_effects,
        scope="reports:read",
        tag="Reports",
        about="Click rates of slots that a rule moved, pinned or marked, beside the other slots of "
        "the same placements and days, with an interval. It describes; only an experiment "
        "without the rule tells what the rule causes.",
        parameters=DAYS,
        answer=RuleEffects,
        errors=(InvalidInput,),
    ),
    Operation(
        id="get_performance",
        method="GET",
        path="/v1/reports/performance",
        handler=get_performance,
        scope="reports:read",
        tag="Reports",
        about="Products served, seen, clicked, put in the cart and bought, with revenue net of "
        "refunds, by up to three dimensions. Programs and staff are left out; `baseline` is all "
        "that was sold.",
        parameters=(
            GROUP_BY,
            *DAYS,
            *(Parameter(name, f"Only this {name}.") for name in DIMENSIONS),
            Parameter("window", "Attribution window in days.", {"type": "integer", "minimum": 1}),
            Parameter("model", "Who gets the credit.", {"type": "string", "enum": ["last", "any"]}),
            Parameter(
                "assortment",
                "Add products, coverage, concentration and diversity; it takes longer.",
                {"type": "boolean", "default": False},
            ),
            Parameter("currency", "Currency of the revenue; else the shop's."),
            Parameter(
                "limit",
                "Rows.",
                {"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": 1_000},
            ),
            Parameter("format", "Form of the answer.", {"type": "string", "enum": list(FORMATS)}),
        ),
        answer=Report,
        errors=(InvalidInput,),
    ),
)
