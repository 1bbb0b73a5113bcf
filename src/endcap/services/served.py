"""Logging what was served, in the background: bounded, and counted when it must be dropped."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from endcap.core.answer import Item, Slate
from endcap.core.errors import EndcapError
from endcap.core.event import DeadLetter, Event, Inputs, Line, Origin, Served

from .resolve import Asked


class Committer(Protocol):
    """Appends to the log; returns when the events are durable."""

    async def submit(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """Per event whether it was new."""


def served_detail(
    slate: Slate,
    segments: tuple[str, ...] = (),
    micros: int = 0,
    inputs: Inputs | None = None,
    withheld: tuple[str, ...] = (),
) -> Served:
    """What the log keeps of how a slate came about; reports group by it.

    A reason that is a rule's carries the rule's name in its counts under `rule`.
    """
    experiment = slate.experiment or {}
    return Served(
        slots=tuple(_origin(item) for item in slate.items),
        fallback=slate.fallback,
        experiment=experiment.get("id"),
        variant=experiment.get("variant"),
        segments=segments,
        micros=micros,
        inputs=inputs,
        offers=tuple(offer.name for offer in slate.offers),
        withheld=withheld,
    )


def _origin(item: Item) -> Origin:
    strategies: list[str] = []
    rules: list[str] = []
    for reason in item.reasons:
        if reason.strategy:
            if reason.strategy not in strategies:
                strategies.append(reason.strategy)
        elif "rule" in reason.counts and (rule := str(reason.counts["rule"])) not in rules:
            rules.append(rule)
    return Origin(tuple(strategies), tuple(rules), item.team or "")


def served_event(shop: str, asked: Asked, slate: Slate, detail: Served, kept: bool) -> Event:
    """The event of a slate; of nobody when the visitor is not to be `kept`."""
    return Event(
        shop=shop,
        source="endcap",
        event_id=slate.token,
        type="served",
        visitor=asked.visitor if kept else "",
        session=asked.session if kept else None,
        occurred_at=asked.now,
        received_at=asked.now,
        lines=tuple(Line(item.id) for item in slate.items),
        token=slate.token,
        zone=asked.request.zone,
        device=asked.request.device,
        placement=slate.placement,
        served=detail,
    )


class ServedLog:
    """Gathers `served` events and writes them together every `pause` seconds."""

    def __init__(self, committer: Committer, limit: int = 20_000, pause: float = 0.2) -> None:
        self._committer = committer
        self._limit = limit
        self._pause = pause
        self._waiting: list[Event] = []
        self._writing: list[Event] = []
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.dropped = 0

    def find(self, shop: str, token: str) -> Event | None:
        """An event that is not in the log yet: it waits, or is being written."""
        held = (*self._writing, *self._waiting)
        return next((e for e in held if e.event_id == token and e.shop == shop), None)

    def add(self, event: Event) -> None:
        """Keep the event for the next write, or count it as dropped when too many wait."""
        if len(self._waiting) >= self._limit:
            self.dropped += 1
            return
        self._waiting.append(event)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_later())

    async def flush(self) -> None:
        """Write what waits now; called at the stop."""
        async with self._turn:  # what is being written is written to its end
            if self._task is not None:
                self._task.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    async def _write_later(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._pause)
            await self._write()

    async def _write(self) -> None:
        async with self._turn:
            events, self._waiting = self._waiting, []
            if not events:
                return
            self._writing = events
            try:
                await self._committer.submit(events, ())
            except EndcapError:
                self.dropped += len(events)
            finally:
                self._writing = []
