"""Visitor state in memory: a bounded fold of the log, read from the log again when it is missed."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence

from endcap.core.event import Event, VisitorState
from endcap.core.ports import EventLog
from endcap.ingest.fold import KEPT, LIFETIME, MAX_SHOWN, SHOWN, fold
from endcap.ingest.identity import MERGE, events_of


class MemoryVisitors:
    """The states of the `limit` visitors seen last."""

    def __init__(self, log: EventLog, limit: int = 200_000) -> None:
        self._log = log
        self._limit = limit
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
            if state is not None and event.type != MERGE:
                fold(state, [event])
            elif state is not None:
                # What the other pseudonym did is in the log; the next read takes it in.
                del self._states[key]
            elif key in self._late:
                # The read under way may have begun before this event was in the log.
                self._late[key].append(event)

    async def forget(self, shop: str, visitor: str) -> None:
        """See the port."""
        self._states.pop((shop, visitor), None)

    async def _read(self, key: tuple[str, str]) -> VisitorState:
        try:
            events = await asyncio.to_thread(read_events, self._log, *key)
            while any(event.type == MERGE for event in self._late[key]):
                self._late[key] = []
                events = await asyncio.to_thread(read_events, self._log, *key)
        finally:
            self._reading.pop(key, None)
            late = self._late.pop(key, [])
        known = {(event.source, event.event_id) for event in events}
        events += [e for e in late if (e.source, e.event_id) not in known]
        state = VisitorState()
        fold(state, events)
        self._states[key] = state
        if len(self._states) > self._limit:
            self._states.popitem(last=False)
        return state


def read_events(log: EventLog, shop: str, visitor: str) -> list[Event]:
    """The events that make a visitor's state, those of merged pseudonyms among them."""

    def read(one: str, limit: int, types: Collection[str]) -> list[Event]:
        return log.by_visitor(shop, one, limit, types)

    return [
        event
        for types, kept in ((KEPT, LIFETIME), (SHOWN, MAX_SHOWN))
        for event in events_of(read, visitor, kept, types)
    ]
