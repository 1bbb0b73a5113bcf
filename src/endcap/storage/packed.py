"""An event as a row: what is looked up by in columns, the rest in one packed value."""

from collections.abc import Mapping
from typing import Any

import msgspec

from endcap.core.event import Event, Line, Served, Traffic


class Rest(msgspec.Struct, array_like=True, omit_defaults=True):
    """What an event holds beyond its columns."""

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


COLUMNS = (
    "shop",
    "source",
    "event_id",
    "type",
    "visitor",
    "session",
    "occurred_at",
    "received_at",
)
_REST = Rest.__struct_fields__
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Rest).decode


def pack_event(event: Event) -> dict[str, object]:
    """The row of an event, without its place."""
    row = {name: getattr(event, name) for name in COLUMNS}
    row["body"] = _pack(Rest(*(getattr(event, name) for name in _REST)))
    return row


def unpack_event(row: Mapping[str, Any]) -> Event:
    """The event of a row."""
    rest = _unpack(row["body"])
    columns = {name: row[name] for name in COLUMNS}
    return Event(seq=row["seq"], **columns, **{name: getattr(rest, name) for name in _REST})
