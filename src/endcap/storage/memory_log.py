"""The event log port in memory: the reference the other engines are held to."""

from collections.abc import Collection, Sequence

import msgspec

from endcap.core.event import DeadLetter, Event


class MemoryEventLog:
    """Events in the order of their append; one sequence of places for all shops."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._known: set[tuple[str, str, str]] = set()
        self._dead: list[DeadLetter] = []

    def append(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """See the port."""
        fresh: list[bool] = []
        for event in events:
            key = (event.shop, event.source, event.event_id)
            new = key not in self._known
            fresh.append(new)
            if new:
                self._known.add(key)
                place = len(self._events) + 1
                self._events.append(msgspec.structs.replace(event, seq=place))
        for letter in dead:
            place = len(self._dead) + 1
            self._dead.append(msgspec.structs.replace(letter, seq=place))
        return fresh

    def after(self, shop: str, seq: int, limit: int) -> list[Event]:
        """See the port."""
        return [e for e in self._events if e.shop == shop and e.seq > seq][:limit]

    def by_visitor(
        self, shop: str, visitor: str, limit: int, types: Collection[str] = ()
    ) -> list[Event]:
        """See the port."""
        own = [e for e in self._events if e.shop == shop and e.visitor == visitor]
        own = [e for e in own if not types or e.type in types]
        return own[-limit:] if limit else []

    def find(self, shop: str, source: str, event_id: str) -> Event | None:
        """See the port."""
        wanted = (shop, source, event_id)
        return next((e for e in self._events if (e.shop, e.source, e.event_id) == wanted), None)

    def dead_letters(self, shop: str, seq: int, limit: int) -> list[DeadLetter]:
        """See the port."""
        return [d for d in self._dead if d.shop == shop and d.seq > seq][:limit]

    def last(self, shop: str) -> int:
        """See the port."""
        return max((e.seq for e in self._events if e.shop == shop), default=0)
