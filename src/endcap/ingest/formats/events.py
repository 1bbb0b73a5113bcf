"""Events from files. A CSV's columns are our field names; lines of one order follow each other."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec

from endcap.core.errors import EndcapError, FieldProblem
from endcap.core.event import EventIn
from endcap.core.pointers import problem_of
from endcap.ingest.foreign.events import translated

from .rows import Fields, number_of, read_rows

CONTEXT = frozenset({"zone", "device", "placement"})
GROUPED = frozenset({"purchase", "refund"})


class EventRow(NamedTuple):
    """A row of an import (the first line of its event): the event, or what is wrong."""

    line: int
    value: EventIn | None
    problems: tuple[FieldProblem, ...] = ()


class Strict(EventIn, forbid_unknown_fields=True):
    """An event with no field that we do not know."""


def read_events(stream: BinaryIO, name: str, form: str | None = None) -> Iterator[EventRow]:
    """Events of a file in format `name` (ndjson, json, csv, tsv), one by one.

    JSON rows may be in a form of another system (see `endcap.ingest.foreign.events`); without
    `form`, each row tells it by its fields.

    CSV columns are event_id, type, visitor, session, product, quantity, price, currency, time,
    query, rating, order, token, zone, device and placement; rows of a purchase or refund with the
    same event_id (or, without one, the same order) that follow each other are one event.
    """
    rows = read_rows(stream, name)
    if name in ("csv", "tsv"):
        return events_of(grouped(rows))
    return events_of(translated(rows, form))


def events_of(rows: Iterable[Fields]) -> Iterator[EventRow]:
    """Rows with an event's JSON fields as events."""
    for row in rows:
        if row.fields is None:
            yield EventRow(row.line, None, row.problems)
            continue
        try:
            event = msgspec.json.decode(msgspec.json.encode(row.fields), type=Strict)
        except msgspec.ValidationError as error:
            yield EventRow(row.line, None, (problem_of(error),))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # A column of a type that JSON has no form for.
            yield EventRow(row.line, None, (FieldProblem("", "malformed", str(error)[:200]),))
        else:
            yield EventRow(row.line, event)


def grouped(rows: Iterable[Fields]) -> Iterator[Fields]:
    """CSV rows in the form of an event's JSON, the lines of one order joined."""
    waiting: Fields | None = None
    torn: EndcapError | None = None
    try:
        for row in rows:
            nested = row if row.fields is None else _nested(row)
            if waiting is not None and _same(waiting, nested):
                waiting.fields["products"] += nested.fields["products"]  # type: ignore[index]
                continue
            if waiting is not None:
                yield waiting
            waiting = nested
    except EndcapError as error:
        torn = error
    if waiting is not None:
        yield waiting
    if torn is not None:
        raise torn


def _same(one: Fields, other: Fields) -> bool:
    if one.fields is None or other.fields is None:
        return False
    key = "event_id" if "event_id" in one.fields else "order"
    return (
        one.fields.get("type") in GROUPED
        and other.fields.get("type") == one.fields["type"]
        and one.fields.get(key) is not None
        and other.fields.get(key) == one.fields[key]
        and "products" in one.fields
        and "products" in other.fields
    )


def _nested(row: Fields) -> Fields:
    fields: dict[str, Any] = {}
    line: dict[str, Any] = {}
    assert row.fields is not None
    for column, text in row.fields.items():
        if column in CONTEXT:
            fields.setdefault("context", {})[column] = text
        elif column == "product":
            line["id"] = text
        elif column in ("quantity", "rating"):
            value = number_of(text, whole=column == "quantity")
            if value is None:
                problem = FieldProblem(f"/{column}", "wrong_type", f"`{text[:50]}` is no number")
                return Fields(row.line, None, (problem,))
            (line if column == "quantity" else fields)[column] = value
        elif column == "price":
            line["price"] = text
        else:
            fields[column] = text
    if "id" in line:
        fields["products"] = [line]
    return Fields(row.line, fields)
