"""Answers to a visitor's requests: what is kept, what was chosen, and erasing it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from endcap.core.consent import Consent, ConsentView
from endcap.core.erasure import Erasure, Mode
from endcap.core.errors import InvalidInput
from endcap.core.event import Event
from endcap.core.ids import id_problem
from endcap.core.ports import EventLog
from endcap.core.segment import TagsGiven
from endcap.core.times import format_time
from endcap.ingest.pseudonyms import Pseudonyms

from .erasure import ErasureService
from .gate import Gate
from .letters import Letters

PAGE = 1_000
COLUMNS = (
    "event_id",
    "type",
    "occurred_at",
    "received_at",
    "source",
    "session",
    "product",
    "quantity",
    "price_minor",
    "currency",
    "query",
    "rating",
    "order",
    "token",
    "zone",
    "device",
    "placement",
)


class PrivacyDesk:
    """Works on visitors by the ids that the shop knows."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, given once
        self,
        log: EventLog,
        gate: Gate,
        erasures: ErasureService,
        letters: Letters,
        pseudonyms: Pseudonyms,
        retention: dict[str, int],
        tags: Callable[[str, str], Awaitable[list[TagsGiven]]],
    ) -> None:
        self._tags = tags
        self._log = log
        self._gate = gate
        self.erasures = erasures
        self._letters = letters
        self._pseudonyms = pseudonyms
        self._retention = retention

    async def erase(self, shop: str, visitor: str, mode: Mode) -> Erasure:
        """Ask for an erasure. Raises InvalidInput, StoreUnavailable."""
        return await self.erasures.request(shop, self._known(shop, visitor), mode)

    async def consent(self, shop: str, visitor: str) -> ConsentView:
        """What the visitor chose. Raises InvalidInput."""
        return await self._gate.view(shop, self._known(shop, visitor))

    async def choose(self, shop: str, visitor: str, choice: Consent, by: str) -> ConsentView:
        """Keep what the visitor chose. Raises InvalidInput, VersionConflict, VisitorErased."""
        name = self._known(shop, visitor)
        self._gate.check(shop, name)
        return await self._gate.choose(shop, name, choice, by)

    async def signal(self, shop: str, visitor: str) -> None:
        """The visitor's browser sends Global Privacy Control. Raises InvalidInput."""
        await self._gate.signal(shop, self._known(shop, visitor))

    async def latest(self, shop: str, visitor: str, limit: int) -> tuple[str, list[Event]]:
        """The visitor's pseudonym and newest events, newest first. Raises InvalidInput."""
        name = self._known(shop, visitor)
        found = await asyncio.to_thread(self._log.by_visitor, shop, name, limit)
        # What is being erased is not shown any more, though the purge may still be at work.
        return name, [event for event in reversed(found) if not self._gate.refuses(event)]

    async def export_json(self, shop: str, visitor: str) -> AsyncIterator[bytes]:
        """All that is kept of the visitor, as JSON, in pieces. Raises InvalidInput at once."""
        name = self._known(shop, visitor)
        head: dict[str, Any] = {
            "visitor": visitor,
            "pseudonym": name,
            "consent": await self._gate.view(shop, name),
            "chosen": await self._gate.chosen(shop, name),
            "consent_history": await self._gate.history(shop, name),
            "tags": await self._tags(shop, name),
            "retention_days": self._retention,
            "recipients": "None: Endcap passes nothing on.",
        }
        return self._json(shop, name, head)

    async def export_csv(self, shop: str, visitor: str) -> AsyncIterator[bytes]:
        """The visitor's events as CSV, one row per product, in pieces. Raises InvalidInput."""
        return self._csv(shop, self._known(shop, visitor))

    async def _json(self, shop: str, name: str, head: dict[str, Any]) -> AsyncIterator[bytes]:
        yield msgspec.json.encode(head)[:-1] + b',"events":['
        first = True
        async for page in self._pages(shop, name):
            rows = (msgspec.json.encode(event) for event in page)
            yield (b"" if first else b",") + b",".join(rows)
            first = False
        yield b'],"refused_events":['
        first = True
        async for letter in self._refused(shop, name):
            yield (b"" if first else b",") + msgspec.json.encode(letter)
            first = False
        yield b"]}"

    async def _csv(self, shop: str, name: str) -> AsyncIterator[bytes]:
        yield (",".join(COLUMNS) + "\r\n").encode()
        async for page in self._pages(shop, name):
            text = io.StringIO()
            writer = csv.writer(text)
            for event in page:
                writer.writerows(_rows(event))
            yield text.getvalue().encode()

    async def _pages(self, shop: str, name: str) -> AsyncIterator[list[Event]]:
        """Events, newest first, a page at a time, so that a long history needs little memory."""
        names = [name, *await self.erasures.merged(shop, name)]
        for one in names:
            before: int | None = None
            while page := await asyncio.to_thread(
                self._log.by_visitor, shop, one, PAGE, (), before
            ):
                before = page[0].seq
                yield page[::-1]

    async def _refused(self, shop: str, name: str) -> AsyncIterator[dict[str, Any]]:
        after = 0
        while page := await asyncio.to_thread(self._log.dead_letters, shop, after, PAGE):
            after = page[-1].seq
            for letter in page:
                if letter.visitor == name:
                    payload = self._letters.opened(letter).payload.decode("utf-8", "replace")
                    at = format_time(letter.received_at)
                    yield {"received_at": at, "reason": letter.reason, "payload": payload}

    def _known(self, shop: str, visitor: str) -> str:
        if problem := id_problem(visitor, "/visitor"):
            raise InvalidInput("the visitor cannot be named so", [problem])
        return self._pseudonyms.visitor(shop, visitor)


def _rows(event: Event) -> list[list[str]]:
    lines = event.lines or (None,)
    rows = []
    for line in lines:
        values = (
            event.event_id,
            event.type,
            format_time(event.occurred_at),
            format_time(event.received_at),
            event.source,
            event.session,
            line.product if line else None,
            line.quantity if line else None,
            line.price if line else None,
            event.currency,
            event.query,
            event.rating,
            event.order,
            event.token,
            event.zone,
            event.device,
            event.placement,
        )
        rows.append([_cell(value) for value in values])
    return rows


def _cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
