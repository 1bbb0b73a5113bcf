"""Writing synthetic events: straight into an archive, into the log, or as NDJSON to be sent."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import numpy as np

from endcap.build.archive import COLUMNS, STATE, ArchiveState
from endcap.core.event import Event, Line
from endcap.ingest.pseudonyms import Pseudonyms

from .catalogue import CURRENCY, Catalogue, product_id
from .events import PURCHASE, TYPES, Lines


def visitor_id(number: int) -> str:
    """The id that the shop would send for a visitor."""
    return f"v{number}"


class ArchiveWriter:
    """Writes lines as the archive of a shop lays them out: Parquet, one folder per day."""

    def __init__(self, folder: Path, catalogue: Catalogue, names: list[str]) -> None:
        self._folder = folder
        self._events = self._rows = self._part = 0
        self._connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
        run = self._connection.execute
        run("SET partitioned_write_max_open_files = 400")
        numbers = np.arange(len(names))
        visitors = {"number": numbers, "name": np.array(names)}  # noqa: F841 - read by name
        run("CREATE TABLE visitors AS SELECT * FROM visitors")
        products = {  # noqa: F841 - read by name
            "number": np.arange(len(catalogue)),
            "price": catalogue.price_minor,
        }
        run(
            "CREATE TABLE products AS "
            "SELECT *, 'p' || lpad(number::VARCHAR, 7, '0') AS id FROM products"
        )
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, lines: Lines) -> None:
        """Write a stretch; stretches come in order."""
        first, last = int(lines.event[0]), int(lines.event[-1])
        self._part += 1
        name = f"part-{first + 1:012}-{last + 1:012}-{{i}}"
        places = {"place": np.arange(len(lines.event))}
        stretch = lines._asdict() | places  # noqa: F841 - read by name
        self._connection.execute(
            f"COPY (SELECT {_SELECTED}, "
            f"strftime(make_timestamp(l.moment * 1000), '%Y-%m-%d') AS day "
            f"FROM (SELECT *, row_number() OVER (PARTITION BY event ORDER BY place) - 1 AS line "
            f"FROM stretch) AS l JOIN visitors AS v ON v.number = l.visitor "
            f"JOIN products AS p ON p.number = l.product ORDER BY l.event, line) "
            f"TO '{self._folder}' (FORMAT parquet, PARTITION_BY (day), "
            f"FILENAME_PATTERN '{name}', OVERWRITE_OR_IGNORE)"
        )
        self._events = last + 1
        self._rows += len(lines.event)

    def finish(self) -> ArchiveState:
        """Say how far the archive is."""
        self._connection.close()
        state = ArchiveState(self._events, self._events, self._rows)
        (self._folder / STATE).write_bytes(msgspec.json.encode(state))
        return state


_TYPES = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(TYPES))
_VALUES = {
    "seq": "l.event + 1",
    "line": "CAST(line AS INTEGER)",
    "type": f"CASE l.kind {_TYPES} END",
    "source": "'synthetic'",
    "event_id": "'e' || (l.event + 1)",
    "visitor": "v.name",
    "session": "substr(md5('s' || l.session), 1, 22)",
    "product": "p.id",
    "quantity": "l.quantity",
    "price_minor": f"CASE WHEN l.kind = {PURCHASE} THEN p.price END",
    "currency": f"CASE WHEN l.kind = {PURCHASE} THEN '{CURRENCY}' END",
    "occurred_at": "l.moment",
    "received_at": "l.moment",
    "order_id": f"CASE WHEN l.kind = {PURCHASE} THEN 'o' || (l.event + 1) END",
}
_SELECTED = ", ".join(
    f"CAST({_VALUES.get(name, 'NULL')} AS {kind}) AS {name}" for name, kind in COLUMNS.items()
)


def pseudonyms_of(visitors: int, pseudonyms: Pseudonyms, shop: str) -> list[str]:
    """The pseudonym of every visitor, by number."""
    return [pseudonyms.visitor(shop, visitor_id(number)) for number in range(visitors)]


def as_events(lines: Lines, catalogue: Catalogue, names: list[str], shop: str) -> Iterator[Event]:
    """The same events as the log keeps them."""
    bounds = np.flatnonzero(np.diff(lines.event)) + 1
    for start, end in zip([0, *bounds.tolist()], [*bounds.tolist(), len(lines.event)], strict=True):
        kind = int(lines.kind[start])
        bought = kind == PURCHASE
        moment, number = int(lines.moment[start]), int(lines.event[start]) + 1
        yield Event(
            shop=shop,
            source="synthetic",
            event_id=f"e{number}",
            type=TYPES[kind],
            visitor=names[int(lines.visitor[start])],
            session=_session(int(lines.session[start])),
            occurred_at=moment,
            received_at=moment,
            lines=tuple(
                Line(product_id(product), int(lines.quantity[row]), price if bought else None)
                for row, product, price in (
                    (row, int(lines.product[row]), int(catalogue.price_minor[lines.product[row]]))
                    for row in range(start, end)
                )
            ),
            currency=CURRENCY if bought else None,
            order=f"o{number}" if bought else None,
        )


def _session(number: int) -> str:
    # As long as a pseudonym, and the same text as in the archive.
    return hashlib.md5(f"s{number}".encode(), usedforsecurity=False).hexdigest()[:22]
