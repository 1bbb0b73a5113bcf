"""The event log port in memory: the reference the other engines are held to."""

from collections.abc import Collection, Sequence

import msgspec

from endcap.core.event import OWN_EVENT_TYPES, DeadLetter, Event
from endcap.core.ports import Retained


class MemoryEventLog:
    """Events in the order of their append; one sequence of places for all shops."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._known: set[tuple[str, str, str]] = set()
        self._dead: list[DeadLetter] = []
        self._place = self._letter_place = 0

    def append(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """See the port."""
        fresh: list[bool] = []
        for event in events:
            key = (event.shop, event.source, event.event_id)
            new = key not in self._known
            fresh.append(new)
            if new:
                self._known.add(key)
                self._place += 1
                self._events.append(msgspec.structs.replace(event, seq=self._place))
        for letter in dead:
            self._letter_place += 1
            self._dead.append(msgspec.structs.replace(letter, seq=self._letter_place))
        return fresh

    def after(self, shop: str, seq: int, limit: int) -> list[Event]:
        """See the port."""
        return [e for e in self._events if e.shop == shop and e.seq > seq][:limit]

    def by_visitor(
        self,
        shop: str,
        visitor: str,
        limit: int,
        types: Collection[str] = (),
        before: int | None = None,
    ) -> list[Event]:
        """See the port."""
        own = [e for e in self._events if e.shop == shop and e.visitor == visitor]
        own = [e for e in own if before is None or e.seq < before]
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

    def erase(self, shop: str, visitor: str) -> int:
        """See the port."""
        letters = [d for d in self._dead if (d.shop, d.visitor) == (shop, visitor)]
        gone = [e for e in self._events if (e.shop, e.visitor) == (shop, visitor)]
        self._remove(gone, letters)
        return len(gone) + len(letters)

    def scrub(self) -> None:
        """See the port; there is nothing that could be done from here."""

    def expire(self, shop: str, kind: Retained, before: int) -> int:
        """See the port."""
        old = [e for e in self._events if e.shop == shop and e.received_at < before]
        letters = [d for d in self._dead if d.shop == shop and d.received_at < before]
        if kind == "letters":
            self._remove([], letters)
            return len(letters)
        own = kind == "served"
        gone = [event for event in old if (event.type in OWN_EVENT_TYPES) == own]
        self._remove(gone, [])
        return len(gone)

    def _remove(self, events: Sequence[Event], letters: Sequence[DeadLetter]) -> None:
        places, letter_places = {e.seq for e in events}, {d.seq for d in letters}
        self._known -= {(e.shop, e.source, e.event_id) for e in events}
        self._events = [e for e in self._events if e.seq not in places]
        self._dead = [d for d in self._dead if d.seq not in letter_places]
