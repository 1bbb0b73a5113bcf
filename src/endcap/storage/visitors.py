"""Visitor state in memory: a bounded fold of the log, read from the log again when it is missed."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from endcap.core.event import SHOP_EVENT_TYPES, Event, RecentEvent, VisitorState
from endcap.core.ports import EventLog

# What was served says nothing of what the visitor did or saw.
KEPT = tuple(kind for kind in SHOP_EVENT_TYPES if kind not in ("impression", "search"))
SHOWN = ("impression",)


class MemoryVisitors:
    """Up to `kept` events and `shown` impressions of each of the `limit` visitors seen last."""

    def __init__(
        self, log: EventLog, limit: int = 200_000, kept: int = 100, shown: int = 100
    ) -> None:
        self._log = log
        self._limit = limit
        self._kept = kept
        self._shown = shown
        self._states: OrderedDict[tuple[str, str], VisitorState] = OrderedDict()
        self._reading: dict[tuple[str, str], asyncio.Task[VisitorState]] = {}
        self._late: dict[tuple[str, str], list[Event]] = {}

    async def recent(self, shop: str, visitor: str) -> VisitorState:
        """See the port. A visitor not in memory is read from the log, once for all who ask."""
        key = (shop, visitor)
        state = self._states.get(key)
        if state is not None:
            self._states.move_to_end(key)
            return state
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.get_running_loop().create_task(self._read(key))
            self._reading[key] = reading
            self._late[key] = []
        return await asyncio.shield(reading)

    async def fold(self, events: Sequence[Event]) -> None:
        """See the port. Only visitors in memory are touched: the others' events are in the log."""
        for event in events:
            key = (event.shop, event.visitor)
            state = self._states.get(key)
            if state is not None:
                self._take(state, [event])
            elif key in self._late:
                # The read under way may have begun before this event was in the log.
                self._late[key].append(event)

    async def forget(self, shop: str, visitor: str) -> None:
        """See the port."""
        self._states.pop((shop, visitor), None)

    async def _read(self, key: tuple[str, str]) -> VisitorState:
        try:
            events = await asyncio.to_thread(self._log.by_visitor, *key, self._kept, KEPT)
            events += await asyncio.to_thread(self._log.by_visitor, *key, self._shown, SHOWN)
        finally:
            self._reading.pop(key, None)
            late = self._late.pop(key, [])
        known = {(event.source, event.event_id) for event in events}
        events += [e for e in late if (e.source, e.event_id) not in known]
        state = VisitorState()
        self._take(state, events)
        self._states[key] = state
        if len(self._states) > self._limit:
            self._states.popitem(last=False)
        return state

    def _take(self, state: VisitorState, events: Sequence[Event]) -> None:
        new = [kept for event in events for kept in seen(event)]
        recent = [*state.recent, *(e for e in new if e.type not in SHOWN)]
        shown = [*state.shown, *(e for e in new if e.type in SHOWN)]
        state.recent = sorted(recent, key=_moment)[-self._kept :]
        state.shown = sorted(shown, key=_moment)[-self._shown :]


def _moment(event: RecentEvent) -> int:
    return event.occurred_at


def seen(event: Event) -> Iterable[RecentEvent]:
    """What visitor state keeps of an event: one entry per product."""
    if event.type not in KEPT and event.type not in SHOWN:
        return ()
    kind = sys.intern(event.type)
    return [
        RecentEvent(kind, line.product, event.occurred_at, event.session) for line in event.lines
    ]
