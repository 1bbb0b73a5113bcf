"""The event log port on SQL."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, insert, select

from endcap.core.event import DeadLetter, Event, Line, Served, Traffic

from .sessions import Sessions
from .tables import dead_letters, events

# The driver is called directly: the log is the one place where a layer per row is felt.
_INSERT = (
    "INSERT INTO events (shop, source, event_id, type, visitor, session, occurred_at, "
    "received_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class Rest(msgspec.Struct, array_like=True, omit_defaults=True):
    """What an event holds beyond its columns, in one packed value."""

    lines: tuple[Line, ...] = ()
    currency: str | None = None
    query: str | None = None
    rating: float | None = None
    order: str | None = None
    token: str | None = None
    zone: str | None = None
    device: str | None = None
    placement: str | None = None
    clamped: bool = False
    reported: int | None = None
    traffic: Traffic | None = None
    served: Served | None = None
    merged: str | None = None


_REST = Rest.__struct_fields__
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Rest).decode


class SqlEventLog:
    """Events as rows, each once per (shop, source, event_id)."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def append(self, new: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """See the port."""
        fresh: list[bool] = []
        with self._sessions.write() as connection:
            cursor: Any = connection.connection.cursor()
            for event in new:
                cursor.execute(_INSERT, _row(event))
                fresh.append(cursor.rowcount == 1)
            cursor.close()
            if dead:
                connection.execute(insert(dead_letters), [_letter(letter) for letter in dead])
        return fresh

    def after(self, shop: str, seq: int, limit: int) -> list[Event]:
        """See the port."""
        later = select(events).where(events.c.shop == shop, events.c.seq > seq)
        return self._read(later.order_by(events.c.seq).limit(limit))

    def by_visitor(
        self, shop: str, visitor: str, limit: int, types: Collection[str] = ()
    ) -> list[Event]:
        """See the port."""
        own = select(events).where(events.c.shop == shop, events.c.visitor == visitor)
        if types:
            own = own.where(events.c.type.in_(sorted(types)))
        return self._read(own.order_by(events.c.seq.desc()).limit(limit))[::-1]

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
        newest = select(func.max(events.c.seq)).where(events.c.shop == shop)
        with self._sessions.read() as connection:
            return connection.execute(newest).scalar() or 0

    def _read(self, query: Select[Any]) -> list[Event]:
        with self._sessions.read() as connection:
            return [_event(row) for row in connection.execute(query)]


def _row(event: Event) -> tuple[object, ...]:
    rest = Rest(*(getattr(event, name) for name in _REST))
    return (
        event.shop,
        event.source,
        event.event_id,
        event.type,
        event.visitor,
        event.session,
        event.occurred_at,
        event.received_at,
        _pack(rest),
    )


def _event(row: Row[Any]) -> Event:
    rest = _unpack(row.body)
    return Event(
        seq=row.seq,
        shop=row.shop,
        source=row.source,
        event_id=row.event_id,
        type=row.type,
        visitor=row.visitor,
        session=row.session,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        **{name: getattr(rest, name) for name in _REST},
    )


def _letter(letter: DeadLetter) -> dict[str, object]:
    values: dict[str, object] = msgspec.structs.asdict(letter)
    del values["seq"]
    return values
