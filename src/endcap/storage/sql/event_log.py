"""The event log port on SQL."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, insert, select

from endcap.core.event import OWN_EVENT_TYPES, DeadLetter, Event
from endcap.core.ports import Retained
from endcap.storage.packed import pack_event, unpack_event

from .appending import Append
from .heads import ALL_SHOPS, LETTERS, advance
from .sessions import Sessions
from .tables import dead_letters, events

DELETED_AT_ONCE = 2_000


class SqlEventLog:
    """Events as rows, each once per (shop, source, event_id).

    `by_place` reads the log along its places. SQLite would rather collect all rows of the shop by
    an index and sort them, a tenth of a second for a million, each time somebody follows the log.
    """

    def __init__(self, sessions: Sessions, append: Append, by_place: bool = False) -> None:
        self._sessions = sessions
        self._append = append
        # What is worked out of a column cannot be looked up in an index.
        self._shop = func.coalesce(events.c.shop, "") if by_place else events.c.shop

    def append(self, new: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """See the port."""

        def work(connection: Connection) -> list[bool]:
            fresh = self._append(connection, new, pack_event)
            if dead:
                end = advance(connection, ALL_SHOPS, LETTERS, len(dead))
                rows = [_letter(end - len(dead) + n, one) for n, one in enumerate(dead, 1)]
                connection.execute(insert(dead_letters), rows)
            return fresh

        return self._sessions.transact(work)

    def after(self, shop: str, seq: int, limit: int) -> list[Event]:
        """See the port."""
        later = select(events).where(self._shop == shop, events.c.seq > seq)
        return self._read(later.order_by(events.c.seq).limit(limit))

    def by_visitor(
        self,
        shop: str,
        visitor: str,
        limit: int,
        types: Collection[str] = (),
        before: int | None = None,
    ) -> list[Event]:
        """See the port."""
        own = select(events).where(events.c.shop == shop, events.c.visitor == visitor)
        if before is not None:
            own = own.where(events.c.seq < before)
        if types:
            own = own.where(events.c.type.in_(sorted(types)))
        return self._read(own.order_by(events.c.seq.desc()).limit(limit))[::-1]

    def by_visitors(
        self, shop: str, visitors: Sequence[str], types: Collection[str], most: int
    ) -> list[Event] | None:
        """Events of several visitors in the log's order; None when there are more than `most`."""
        theirs = select(events).where(
            events.c.shop == shop,
            events.c.visitor.in_(list(visitors)),
            events.c.type.in_(sorted(types)),
        )
        found = self._read(theirs.order_by(events.c.seq).limit(most + 1))
        return found if len(found) <= most else None

    def find(self, shop: str, source: str, event_id: str) -> Event | None:
        """See the port."""
        one = select(events).where(
            events.c.shop == shop, events.c.source == source, events.c.event_id == event_id
        )
        return next(iter(self._read(one)), None)

    def dead_letters(self, shop: str, seq: int, limit: int) -> list[DeadLetter]:
        """See the port."""
        later = select(dead_letters).where(dead_letters.c.shop == shop, dead_letters.c.seq > seq)
        with self._sessions.read() as connection:
            rows = connection.execute(later.order_by(dead_letters.c.seq).limit(limit))
            return [DeadLetter(**row._mapping) for row in rows]

    def last(self, shop: str) -> int:
        """See the port."""
        newest = select(events.c.seq).where(self._shop == shop).order_by(events.c.seq.desc())
        with self._sessions.read() as connection:
            return connection.execute(newest.limit(1)).scalar() or 0

    def erase(self, shop: str, visitor: str) -> int:
        """See the port."""
        gone = 0
        for table in (events, dead_letters):
            gone += self._delete(table, (table.c.shop == shop) & (table.c.visitor == visitor))
        self._sessions.scrub()
        return gone

    def scrub(self) -> None:
        """See the port."""
        self._sessions.rewrite()

    def expire(self, shop: str, kind: Retained, before: int) -> int:
        """See the port."""
        if kind == "letters":
            table, which = dead_letters, dead_letters.c.shop == shop
        else:
            ours = events.c.type.in_(OWN_EVENT_TYPES)
            table, which = events, (events.c.shop == shop) & (ours if kind == "served" else ~ours)
        gone = self._delete(table, which & (table.c.received_at < before))
        if gone:
            self._sessions.scrub()
        return gone

    def _delete(self, table: Table, which: ColumnElement[bool]) -> int:
        """Delete rows some thousands at a time, so that appends get their turn in between."""
        gone = 0
        while True:
            with self._sessions.read() as connection:
                rows = connection.execute(select(table.c.seq).where(which).limit(DELETED_AT_ONCE))
                places = [row.seq for row in rows]

            def work(connection: Connection, places: list[int] = places) -> None:
                connection.execute(delete(table).where(table.c.seq.in_(places)))

            if places:
                self._sessions.transact(work)
            gone += len(places)
            if len(places) < DELETED_AT_ONCE:
                return gone

    def _read(self, query: Select[Any]) -> list[Event]:
        with self._sessions.read() as connection:
            return [unpack_event(row._asdict()) for row in connection.execute(query)]


def _letter(place: int, letter: DeadLetter) -> dict[str, object]:
    values: dict[str, object] = msgspec.structs.asdict(letter)
    return {**values, "seq": place}
