"""Looking into the shop's data: a product's partners, the newest events, what was refused."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import numpy as np

from endcap.core.event import OWN_EVENT_TYPES, DeadLetter, Event
from endcap.core.ports import EventLog
from endcap.recommend.query import State

from .live import LiveState

WINDOWS = ("1d", "7d", "30d", "365d")
PARTNERS = 10
SAMPLE = 10_000


class Partner(msgspec.Struct, frozen=True):
    """A product related to another, with the evidence of the pair."""

    id: str
    title: str
    score: float
    counts: dict[str, float]


class ProductFacts(msgspec.Struct, frozen=True):
    """What the snapshot and the counters know of a product."""

    id: str
    partners: dict[str, list[Partner]]
    popularity: dict[str, dict[str, int]]
    sellable: bool


class LiveEvent(msgspec.Struct, frozen=True):
    """One event of the log's end, without anything that names a person."""

    seq: int
    at: int
    source: str
    type: str
    visitor: str
    products: list[str]
    unknown: list[str]
    placement: str | None


class Matching(msgspec.Struct, frozen=True):
    """How many of the products in the newest events are in the catalogue."""

    events: int
    lines: int
    known: int
    unknown: list[tuple[str, int]]

    @property
    def share(self) -> float | None:
        """The share that is known; None without lines."""
        return self.known / self.lines if self.lines else None


class Inspector:
    """Reads; changes nothing."""

    def __init__(self, live: LiveState, log: EventLog) -> None:
        self._live = live
        self._log = log

    def product(self, shop: str, product: str) -> ProductFacts | None:
        """What is known of a product; None when the catalogue has no such product."""
        state = self._live.state(shop)
        row = state.columns.row(product)
        if row is None:
            return None
        return ProductFacts(
            product,
            _partners(state, row),
            _popularity(state, row),
            bool(state.columns.sellable[row]),
        )

    def titles(self, shop: str, text: str, limit: int) -> list[tuple[str, str]]:
        """Products whose id or title has the text, in any case."""
        state = self._live.state(shop)
        wanted = text.casefold()
        found: list[tuple[str, str]] = []
        for row in np.flatnonzero(state.columns.alive[: len(state.columns)]).tolist():
            name = state.columns.ids[row]
            title = state.cards.title(row)
            if wanted in name.casefold() or wanted in title.casefold():
                found.append((name, title))
                if len(found) == limit:
                    break
        return found

    async def events(self, shop: str, limit: int) -> list[LiveEvent]:
        """The newest events of the shop's own making, newest first; what we served is left out."""
        events = await asyncio.to_thread(self._newest, shop, limit * 4)
        rows = self._live.state(shop).columns
        shown = [e for e in reversed(events) if e.type not in ("served", "exposure", "shadow")][
            :limit
        ]
        return [
            LiveEvent(
                seq=event.seq,
                at=event.received_at,
                source=event.source,
                type=event.type,
                visitor=event.visitor[:8],
                products=[line.product for line in event.lines[:5]],
                unknown=[ln.product for ln in event.lines if rows.row(ln.product) is None][:5],
                placement=event.placement,
            )
            for event in shown
        ]

    async def matching(self, shop: str) -> Matching:
        """The match rate over the newest events."""
        newest = await asyncio.to_thread(self._newest, shop, SAMPLE)
        # What we served ourselves is known of course, and would hide what the shop gets wrong.
        events = [event for event in newest if event.type not in OWN_EVENT_TYPES]
        rows = self._live.state(shop).columns
        seen = Counter(line.product for event in events for line in event.lines)
        known = sum(count for product, count in seen.items() if rows.row(product) is not None)
        unknown = Counter({p: count for p, count in seen.items() if rows.row(p) is None})
        return Matching(len(events), sum(seen.values()), known, unknown.most_common(10))

    async def refused(self, shop: str, limit: int) -> list[DeadLetter]:
        """The oldest refused events that are still kept, without their content."""
        letters = await asyncio.to_thread(self._log.dead_letters, shop, 0, limit)
        return [msgspec.structs.replace(letter, payload=b"") for letter in letters]

    def _newest(self, shop: str, count: int) -> list[Event]:
        last = self._log.last(shop)
        return self._log.after(shop, max(0, last - count), count)


def _partners(state: State, row: int) -> dict[str, list[Partner]]:
    product = state.joined.product(row)
    found: dict[str, list[Partner]] = {}
    if product < 0 or state.joined.snapshot is None:
        return found
    for name, relation in state.joined.snapshot.relations.items():
        stretch = relation.row(product)
        partners = []
        for place in range(stretch.start, min(stretch.stop, stretch.start + PARTNERS)):
            other = int(state.joined.rows(np.array([relation.partner[place]]))[0])
            if other < 0:
                continue
            counts: dict[str, Any] = {
                column: round(float(values[place]), 3)
                for column, values in relation.evidence.items()
            }
            score = round(float(relation.score[place]), 5)
            partners.append(
                Partner(state.columns.ids[other], state.cards.title(other), score, counts)
            )
        found[name] = partners
    return found


def _popularity(state: State, row: int) -> dict[str, dict[str, int]]:
    product = state.joined.product(row)
    found: dict[str, dict[str, int]] = {}
    for window in WINDOWS:
        counts = state.joined.popularity(window)
        if counts is None or product < 0:
            continue
        found[window] = {
            "buyers": int(counts.buyers[product]),
            "orders": int(counts.orders[product]),
            "carters": int(counts.carters[product]),
            "viewers": int(counts.viewers[product]),
        }
    return found
