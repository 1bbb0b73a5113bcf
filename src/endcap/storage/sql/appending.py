"""Appending events: the embedded engine row by row, a server set by set under the log's head."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Executable, insert, select, text

from endcap.core.event import Event

from .heads import ALL_SHOPS, LOG, advance
from .tables import events

Row = dict[str, object]
RowOf = Callable[[Event], Row]
Append = Callable[[Connection, Sequence[Event], RowOf], list[bool]]
Key = tuple[str, str, str]

# The driver is called directly: here alone a layer per row is felt.
_INSERT = (
    "INSERT INTO events (shop, source, event_id, type, visitor, session, occurred_at, "
    "received_at, body) VALUES (:shop, :source, :event_id, :type, :visitor, :session, "
    ":occurred_at, :received_at, :body) ON CONFLICT DO NOTHING"
)
ASKED = 1_000
# PostgreSQL knows nothing of a new table yet and would read all of the shop for a list of ids; one
# by one there is nothing better than the index of the keys.
_ONE_BY_ONE = text(
    "SELECT wanted.id AS event_id FROM unnest(CAST(:ids AS varchar[])) AS wanted(id) "
    "CROSS JOIN LATERAL (SELECT 1 FROM events WHERE shop = :shop AND source = :source "
    "AND event_id = wanted.id LIMIT 1) AS known"
)


def append_embedded(connection: Connection, new: Sequence[Event], row: RowOf) -> list[bool]:
    """On SQLite, which numbers the rows itself: one writer, so places are in order anyway."""
    fresh: list[bool] = []
    cursor: Any = connection.connection.cursor()
    for event in new:
        cursor.execute(_INSERT, row(event))
        fresh.append(cursor.rowcount == 1)
    cursor.close()
    return fresh


def append_on_server(connection: Connection, new: Sequence[Event], row: RowOf) -> list[bool]:
    """On a server with other writers.

    Holding the log's head, nobody else appends until this commits: what is looked up stays true,
    no two batches can deadlock, and places become visible in their order.
    """
    if not new:
        return []
    end = advance(connection, ALL_SHOPS, LOG, len(new))
    known = _known(connection, new)
    fresh: list[bool] = []
    rows: list[Row] = []
    for place, event in enumerate(new, end - len(new) + 1):
        key = _key(event)
        fresh.append(key not in known)
        if key not in known:
            known.add(key)
            rows.append({"seq": place, **row(event)})
    if rows:
        connection.execute(insert(events), rows)
    return fresh


def _known(connection: Connection, new: Iterable[Event]) -> set[Key]:
    found: set[Key] = set()
    keys = sorted({_key(event) for event in new})
    for (shop, source), group in groupby(keys, lambda key: key[:2]):
        ids = [key[2] for key in group]
        for start in range(0, len(ids), ASKED):
            asked = ids[start : start + ASKED]
            rows = connection.execute(_lookup(connection.dialect.name, shop, source, asked))
            found.update((shop, source, row.event_id) for row in rows)
    return found


def _lookup(dialect: str, shop: str, source: str, ids: list[str]) -> Executable:
    if dialect == "postgresql":
        return _ONE_BY_ONE.bindparams(ids=ids, shop=shop, source=source)
    return select(events.c.event_id).where(
        events.c.shop == shop, events.c.source == source, events.c.event_id.in_(ids)
    )


def _key(event: Event) -> Key:
    return (event.shop, event.source, event.event_id)
