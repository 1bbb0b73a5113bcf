"""Loading the demo shop through the same services that any shop's data goes through."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple, Protocol

import msgspec

from endcap.core.errors import EndcapError, FieldProblem
from endcap.core.event import EventIn
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.product import Product
from endcap.core.times import Clock
from endcap.services.catalogue import CatalogueService
from endcap.services.collect import Collector

from .online_retail import GiftShop, Treatment

SOURCE = "demo"
BATCH = 500
Report = Callable[[str, float], None]


class Row(NamedTuple):
    """A product as an import's row."""

    line: int
    value: Product | None
    problems: tuple[FieldProblem, ...] = ()


class Target(Protocol):
    """The services that the demo loads into."""

    @property
    def catalogue(self) -> CatalogueService:
        """Takes the products."""

    @property
    def collector(self) -> Collector:
        """Takes the events."""

    @property
    def clock(self) -> Clock:
        """Decides how far the shop's year is moved."""


async def load_gift_shop(
    target: Target, control: Control, shop: str, report: Report
) -> Treatment | None:
    """Load products and events, unless they are there already (then None).

    Raises EndcapError when the services refuse a part of the data.
    """
    if control.get(shop, "demo", "online_retail", None) is not None:
        return None
    report("reading invoice lines", 0.0)
    with await asyncio.to_thread(GiftShop, target.clock()) as gifts:
        report("products", 0.05)
        rows = (Row(line, product) for line, product in enumerate(gifts.products(), 1))
        imported = await target.catalogue.import_rows(shop, rows)
        if imported.rejected:
            raise EndcapError(f"products were refused: {imported.errors[:3]}")
        total, done = gifts.count_events(), 0
        events = gifts.events()
        while batch := await asyncio.to_thread(_next, events):
            receipt = await target.collector.take(shop, SOURCE, batch)
            if receipt.rejected:
                bad = next(v for v in receipt.results if v.status == "rejected")
                raise EndcapError(f"event {bad.event_id} was refused: {bad.errors}")
            done += len(batch)
            report("events", 0.1 + 0.9 * done / total)
        record = ControlRecord(
            kind="demo",
            name="online_retail",
            version=0,
            body=msgspec.json.encode(gifts.treatment),
            author="endcap",
            note="loaded",
            created_at=target.clock(),
        )
        await asyncio.to_thread(control.put, shop, record, 0)
        return gifts.treatment


def _next(events: Iterator[EventIn]) -> list[EventIn]:
    return list(islice(events, BATCH))
