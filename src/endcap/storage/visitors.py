"""Visitor state in memory: a bounded fold of the log, read from the log again when it is missed."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Coroutine, Sequence
from typing import Protocol, runtime_checkable

from endcap.core.event import Event, VisitorState
from endcap.core.ports import EventLog
from endcap.ingest.fold import KEPT, LIFETIME, MAX_SHOWN, SHOWN, fold
from endcap.ingest.identity import MERGE, Read, events_of

AT_ONCE = 200
# Events read at once; a block of visitors with more is read one by one.
MOST = 40_000


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
            reading = self._begin(key, asyncio.to_thread(read_events, self._log, *key))
        return await asyncio.shield(reading)

    async def read_ahead(self, shop: str, visitors: Sequence[str]) -> None:
        """Read together those of the visitors that are not in memory, to be asked for soon."""
        keys = [(shop, visitor) for visitor in dict.fromkeys(visitors)]
        missed = [k for k in keys if k not in self._states and k not in self._reading]
        if not missed:
            return
        names = [visitor for _, visitor in missed]
        block = asyncio.ensure_future(asyncio.to_thread(read_many, self._log, shop, names))
        for key in missed:
            self._begin(key, _of_block(block, key[1]))
        await asyncio.gather(*(asyncio.shield(self._reading[key]) for key in missed))

    def _begin(
        self, key: tuple[str, str], found: Coroutine[None, None, list[Event]]
    ) -> "asyncio.Task[VisitorState]":
        reading = asyncio.get_running_loop().create_task(self._read(key, found))
        self._reading[key] = reading
        self._late[key] = []
        return reading

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

    async def _read(
        self, key: tuple[str, str], found: Coroutine[None, None, list[Event]]
    ) -> VisitorState:
        try:
            events = await found
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


@runtime_checkable
class ReadsMany(Protocol):
    """A log that gives the events of several visitors at once."""

    def by_visitors(
        self, shop: str, visitors: Sequence[str], types: Collection[str], most: int
    ) -> list[Event] | None:
        """Events of the visitors in the log's order; None when there are more than `most`."""


def read_events(log: EventLog, shop: str, visitor: str) -> list[Event]:
    """The events that make a visitor's state, those of merged pseudonyms among them."""

    def read(one: str, limit: int, types: Collection[str]) -> list[Event]:
        return log.by_visitor(shop, one, limit, types)

    return _making(read, visitor)


def read_many(log: EventLog, shop: str, visitors: Sequence[str]) -> dict[str, list[Event]]:
    """The same for several visitors; from a log that can with one query for `AT_ONCE` of them."""
    found: dict[str, list[Event]] = {}
    for begin in range(0, len(visitors), AT_ONCE):
        block = visitors[begin : begin + AT_ONCE]
        types = (*KEPT, *SHOWN, MERGE)
        held = log.by_visitors(shop, block, types, MOST) if isinstance(log, ReadsMany) else None
        if held is None:
            found |= {visitor: read_events(log, shop, visitor) for visitor in block}
            continue
        own: dict[str, list[Event]] = {visitor: [] for visitor in block}
        for event in held:
            own[event.visitor].append(event)

        def read(
            one: str, limit: int, types: Collection[str], own: dict[str, list[Event]] = own
        ) -> list[Event]:
            if one not in own:
                return log.by_visitor(shop, one, limit, types)
            return [event for event in own[one] if event.type in types][-limit:]

        found |= {visitor: _making(read, visitor) for visitor in block}
    return found


async def _of_block(block: "asyncio.Future[dict[str, list[Event]]]", visitor: str) -> list[Event]:
    return (await asyncio.shield(block))[visitor]


def _making(read: Read, visitor: str) -> list[Event]:
    return [
        event
        for types, kept in ((KEPT, LIFETIME), (SHOWN, MAX_SHOWN))
        for event in events_of(read, visitor, kept, types)
    ]
