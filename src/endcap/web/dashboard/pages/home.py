"""Home: is it working, and what needs somebody."""

import asyncio
import datetime
from typing import Any

import msgspec

from endcap.core.report import Report
from endcap.web.dashboard.lately import Mark, concerns, marks
from endcap.web.dashboard.page import Page, PageCall


class Attention(msgspec.Struct, frozen=True):
    """Something that needs somebody: what, what to do, and where."""

    level: str
    text: str
    link: str = ""
    action: str = ""


class Home(msgspec.Struct, frozen=True):
    """What the page shows."""

    attention: list[Attention]
    now: dict[str, Any]
    before: dict[str, Any]
    baseline: dict[str, Any]
    currency: str
    days: list[dict[str, Any]]
    marks: list[Mark]
    placements: list[dict[str, Any]]
    ready: dict[str, Any]


async def home(call: PageCall) -> Home:
    """The last seven days beside the seven before."""
    reports = call.services.reports
    usual = reports.question()
    last = datetime.date.fromisoformat(usual.last)

    def days(first: int, until: int) -> dict[str, str]:
        back = datetime.timedelta
        return {
            "first": (last - back(days=first)).isoformat(),
            "last": (last - back(days=until)).isoformat(),
        }

    def asked(*group_by: str, **between: str) -> Any:
        return msgspec.structs.replace(usual, group_by=group_by, **between)

    week, before, daily, placements = await asyncio.gather(
        reports.performance(call.shop, asked("placement", **days(6, 0))),
        reports.performance(call.shop, asked("placement", **days(13, 7))),
        reports.performance(call.shop, asked("day", **days(27, 0))),
        call.services.placements.list(call.shop),
    )
    ready = await call.services.ready()
    deciding = [
        Attention(
            one.level, f"{one.name}: {one.text}", f"/dashboard/experiments/{one.name}", "Open"
        )
        for one in await concerns(call)
    ]
    return Home(
        attention=[*_attention(ready, week), *deciding],
        now=week.total,
        before=before.total,
        baseline=msgspec.to_builtins(week.baseline),
        currency=week.currency,
        days=_filled(daily, last),
        marks=await marks(call, last - datetime.timedelta(days=27)),
        placements=_rows(week, [view.name for view in placements]),
        ready=ready,
    )


def _attention(ready: dict[str, Any], week: Report) -> list[Attention]:
    found = []
    if ready["store"] != "ok":
        found.append(Attention("bad", f"The store does not answer: {ready['store']}"))
    if not ready["products"]:
        text = "The catalogue is empty."
        found.append(Attention("warn", text, "/dashboard/data", "Import products"))
    if not ready["snapshot"]:
        text = "Nothing was built yet, so answers come from the catalogue alone."
        found.append(Attention("warn", text, "/dashboard/data", "Build now"))
    if ready["snapshot_refused"]:
        text = f"The newest snapshot was refused: {ready['snapshot_refused']}"
        found.append(Attention("bad", text, "/dashboard/data", "Build again"))
    if not week.total.get("served"):
        text = "No page has asked for recommendations in the last seven days."
        found.append(Attention("warn", text, "/docs", "How to ask"))
    elif not week.total.get("seen"):
        text = "Slates were served, but no impression came back, so click rates are not known."
        found.append(Attention("warn", text, "/docs", "Send impressions"))
    return found


def _filled(report: Report, last: datetime.date) -> list[dict[str, Any]]:
    """Every day of the period, also those on which nothing happened."""
    rows = {row["day"]: row for row in report.rows}
    days = [(last - datetime.timedelta(days=back)).isoformat() for back in range(27, -1, -1)]
    return [
        {"day": day, "revenue": float(rows.get(day, {}).get("revenue") or 0)}
        | {"clicked": rows.get(day, {}).get("clicked") or 0}
        for day in days
    ]


def _rows(report: Report, names: list[str]) -> list[dict[str, Any]]:
    rows = {row["placement"]: row for row in report.rows}
    made = [{"placement": name, **rows.get(name, {})} for name in names]
    return sorted(made, key=lambda row: -int(row.get("served") or 0))


PAGES = (
    Page(
        id="home",
        path="/home",
        title="Home",
        template="home.html",
        data=home,
        group="Merchandise",
        place=0,
    ),
)
