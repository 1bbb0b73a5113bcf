"""Reports: which placement, strategy, rule or product earns."""

import datetime
import re

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.merchant import SavedReport
from endcap.core.report import DIMENSIONS, Report, ReportQuestion
from endcap.core.status import DecisionView
from endcap.services.decisions import decision
from endcap.services.report_sql import ReportSql, report_sql
from endcap.web.dashboard.page import Action, Page, PageCall

HOME = "/dashboard/reports"


class Reports(msgspec.Struct, frozen=True):
    """A report with what was asked, the SQL behind it, and those that were saved."""

    report: Report
    group_by: str
    dimensions: tuple[str, ...]
    window: int
    days: int
    sql: ReportSql
    saved: list[DecisionView]


async def reports(call: PageCall) -> Reports:
    """The performance report, grouped as asked."""
    service = call.services.reports
    usual = service.question()
    group = call.query.get("group_by", "placement")
    asked = msgspec.structs.replace(
        usual,
        group_by=(group,),
        first=call.query.get("from", "") or _first(usual, call.query.get("days", "")),
        last=call.query.get("to", "") or usual.last,
        model="any" if call.query.get("model") == "any" else "last",
        limit=200,
    )
    report = await service.performance(call.shop, asked)
    between = datetime.date.fromisoformat(asked.last) - datetime.date.fromisoformat(asked.first)
    saved = list(await call.services.decisions.list(call.shop, "report"))
    sql = report_sql(asked)
    return Reports(report, group, DIMENSIONS, usual.window, between.days + 1, sql, saved)


def _first(usual: ReportQuestion, days: str) -> str:
    """The first of the last `days` days; of the usual ones when none are asked for."""
    if not days.isdecimal() or not 1 <= len(days) <= 3:
        return usual.first
    back = datetime.timedelta(days=max(1, int(days)) - 1)
    return (datetime.date.fromisoformat(usual.last) - back).isoformat()


async def save(call: PageCall) -> Response:
    """Keep what is asked, to look at it again."""
    title = call.form.get("title", "").strip()
    name = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:80]
    if not name:
        problem = FieldProblem("/title", "missing", "needs a letter or a digit")
        raise InvalidInput("the report needs a name", [problem])
    days = call.form.get("days", "28")
    kept = SavedReport(
        title=title,
        group_by=call.form.get("group_by", "placement"),
        days=int(days) if days.isdecimal() and len(days) <= 3 else 28,
        model="any" if call.form.get("model") == "any" else "last",
    )
    given = decision("report", name, msgspec.json.encode(kept), call.author)
    await call.services.decisions.put(call.shop, given)
    query = {"group_by": kept.group_by, "days": str(kept.days), "model": kept.model}
    return call.go(HOME, **query, said="The report is saved.")


async def drop(call: PageCall) -> Response:
    """Drop a saved report."""
    given = decision("report", call.form.get("name", ""), author=call.author)
    await call.services.decisions.delete(call.shop, given)
    return call.go(HOME, said="The report is not kept any more.")


PAGES = (
    Page(
        id="reports",
        path="/reports",
        title="Reports",
        template="reports.html",
        data=reports,
        group="Measure",
        place=10,
    ),
)
ACTIONS = (
    Action(id="report_save", path="/reports/save", act=save, scope="rules:edit", page="reports"),
    Action(id="report_drop", path="/reports/drop", act=drop, scope="rules:edit", page="reports"),
)
