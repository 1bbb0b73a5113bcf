"""What happened lately: marks on the revenue line, and experiments that need somebody."""

import datetime

import msgspec

from endcap.core.errors import EndcapError
from endcap.web.dashboard.page import PageCall

WAITING = {"unhealthy": "bad", "harmful": "bad", "winner": "good", "no_difference": "warn"}


class Mark(msgspec.Struct, frozen=True):
    """Something that happened on the day `at` (its place among the days)."""

    at: int
    text: str


class Concern(msgspec.Struct, frozen=True):
    """A running experiment about which something is to be decided."""

    level: str
    text: str
    name: str


async def marks(call: PageCall, first: datetime.date) -> list[Mark]:
    """Rules published, placements changed and experiments started since a day, in order."""
    services, shop = call.services, call.shop
    found: list[tuple[int, str]] = []
    for name in services.rules.published(shop).rules:
        for one in await services.rules.publications(shop, name):
            what = "published" if one.version else "taken out"
            found.append((one.at, f"rule {name} {what}"))
    for placement in await services.placements.list(shop):
        if placement.version > 1:
            text = f"placement {placement.name}, version {placement.version}"
            found.append((placement.created_at, text))
    found += [
        (view.experiment.started_at, f"experiment {view.name} started")
        for view in await services.experiments.list(shop)
        if view.experiment.started_at
    ]
    made = []
    for at, text in sorted(found):
        day = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).date()
        if day >= first:
            made.append(Mark((day - first).days, f"{day}: {text}"))
    return made


async def concerns(call: PageCall) -> list[Concern]:
    """Running experiments that can be decided, or whose data cannot be trusted."""
    found = []
    for view in await call.services.experiments.list(call.shop):
        if view.experiment.state != "running":
            continue
        try:
            results = await call.services.results.results(call.shop, view.name)
        except EndcapError as error:
            found.append(Concern("bad", error.detail, view.name))
            continue
        level = WAITING.get(results.verdict.status)
        if level is not None:
            found.append(Concern(level, results.verdict.text, view.name))
    return found
