"""Reports: which placement, strategy, rule or product earns."""

import msgspec

from endcap.core.report import DIMENSIONS, Report
from endcap.web.dashboard.page import Page, PageCall


class Reports(msgspec.Struct, frozen=True):
    """A report with what was asked."""

    report: Report
    group_by: str
    dimensions: tuple[str, ...]
    window: int


async def reports(call: PageCall) -> Reports:
    """The performance report, grouped as asked."""
    service = call.services.reports
    usual = service.question()
    group = call.query.get("group_by", "placement")
    asked = msgspec.structs.replace(
        usual,
        group_by=(group,),
        first=call.query.get("from", usual.first),
        last=call.query.get("to", usual.last),
        model="any" if call.query.get("model") == "any" else "last",
        limit=200,
    )
    return Reports(await service.performance(call.shop, asked), group, DIMENSIONS, usual.window)


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
