"""The archive: the log as Parquet, one row per product line, one folder per day.

`archive.json` says how far the log has been archived. Parts are written beside it first and moved
in before it is replaced; a crash between the two leaves parts that lie beyond it, and the next run
removes those, so that no line is ever counted twice.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec

from endcap.core.durable import replace, sync
from endcap.core.event import Event, Origin, Served
from endcap.core.ports import EventLog

PAGE = 5_000
LINES_PER_PART = 500_000
STATE = "archive.json"
COLUMNS = {
    "seq": "BIGINT",
    "line": "INTEGER",
    "type": "VARCHAR",
    "source": "VARCHAR",
    "event_id": "VARCHAR",
    "visitor": "VARCHAR",
    "session": "VARCHAR",
    "product": "VARCHAR",
    "quantity": "BIGINT",
    "price_minor": "BIGINT",
    "currency": "VARCHAR",
    "occurred_at": "BIGINT",
    "received_at": "BIGINT",
    "query": "VARCHAR",
    "order_id": "VARCHAR",
    "token": "VARCHAR",
    "zone": "VARCHAR",
    "device": "VARCHAR",
    "placement": "VARCHAR",
    "rating": "DOUBLE",
    "reported_minor": "BIGINT",
    "traffic": "VARCHAR",
    "strategies": "VARCHAR[]",
    "rules": "VARCHAR[]",
    "fallback": "VARCHAR",
    "experiment": "VARCHAR",
    "variant": "VARCHAR",
    "segments": "VARCHAR[]",
    "micros": "BIGINT",
    "offers": "VARCHAR[]",
    "withheld": "VARCHAR[]",
    "merged": "VARCHAR",
}


class ArchiveState(msgspec.Struct, frozen=True):
    """How far the log is archived, and how many rows that made."""

    seq: int = 0
    events: int = 0
    rows: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product line of an event, as archived."""

    seq: int
    line: int
    type: str
    source: str
    event_id: str
    visitor: str
    session: str | None = None
    product: str | None = None
    quantity: int | None = None
    price_minor: int | None = None
    currency: str | None = None
    occurred_at: int
    received_at: int
    query: str | None = None
    order_id: str | None = None
    token: str | None = None
    zone: str | None = None
    device: str | None = None
    placement: str | None = None
    rating: float | None = None
    reported_minor: int | None = None
    traffic: str | None = None
    strategies: tuple[str, ...] | None = None
    rules: tuple[str, ...] | None = None
    fallback: str | None = None
    experiment: str | None = None
    variant: str | None = None
    segments: tuple[str, ...] | None = None
    micros: int | None = None
    offers: tuple[str, ...] | None = None
    withheld: tuple[str, ...] | None = None
    merged: str | None = None


def archive(
    log: EventLog, folder: Path, shop: str, progress: Callable[[float], None]
) -> ArchiveState:
    """Bring the archive up to the log's end; return how far it is."""
    folder.mkdir(parents=True, exist_ok=True)
    state = read_state(folder)
    _remove_beyond(folder, state.seq)
    begin, end = state.seq, log.last(shop)
    while state.seq < end:
        state = _archive_part(log, folder, shop, state)
        progress((state.seq - begin) / max(1, end - begin))
    return state


def read_state(folder: Path) -> ArchiveState:
    """How far the archive in `folder` is."""
    file = folder / STATE
    if not file.exists():
        return ArchiveState()
    return msgspec.json.decode(file.read_bytes(), type=ArchiveState)


def parts(folder: Path) -> list[str]:
    """The Parquet files of the archive, in a stable order."""
    return sorted(str(file) for file in folder.glob("day=*/*.parquet"))


def _archive_part(log: EventLog, folder: Path, shop: str, state: ArchiveState) -> ArchiveState:
    work = folder / "writing"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    lines = work / "lines.ndjson"
    with lines.open("wb") as stream:
        after = _write_lines(log, shop, state, stream)
    if after.rows > state.rows:
        _to_parquet(lines, work / "days")
        _move_in(work / "days", folder, f"{state.seq + 1:012}-{after.seq:012}")
    replace(folder / STATE, msgspec.json.encode(after))
    shutil.rmtree(work)
    return after


def _write_lines(log: EventLog, shop: str, state: ArchiveState, stream: BinaryIO) -> ArchiveState:
    encode = msgspec.json.Encoder().encode
    seq, events, rows = state.seq, state.events, state.rows
    while rows - state.rows < LINES_PER_PART:
        page = log.after(shop, seq, PAGE)
        for event in page:
            for row in rows_of(event):
                stream.write(encode(row) + b"\n")
                rows += 1
        events += len(page)
        seq = page[-1].seq if page else seq
        if len(page) < PAGE:
            break
    return ArchiveState(seq, events, rows)


def rows_of(event: Event) -> Iterator[Row]:
    """The event as archived: a row per line, or one row when it has no lines."""
    served = event.served or Served()
    common = {
        "seq": event.seq,
        "type": event.type,
        "source": event.source,
        "event_id": event.event_id,
        "visitor": event.visitor,
        "session": event.session,
        "currency": event.currency,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "query": event.query,
        "order_id": event.order,
        "token": event.token,
        "zone": event.zone,
        "device": event.device,
        "placement": event.placement,
        "rating": event.rating,
        "reported_minor": event.reported,
        "traffic": event.traffic,
        "fallback": served.fallback,
        "experiment": served.experiment,
        "variant": served.variant,
        "segments": served.segments or None,
        "micros": served.micros or None,
        "offers": served.offers or None,
        "withheld": served.withheld or None,
        "merged": event.merged,
    }
    if not event.lines:
        yield Row(line=0, **common)  # type: ignore[arg-type]
    for number, line in enumerate(event.lines):
        origin = served.slots[number] if number < len(served.slots) else Origin()
        yield Row(
            line=number,
            product=line.product,
            quantity=line.quantity,
            price_minor=line.price,
            strategies=origin.strategies or None,
            rules=origin.rules or None,
            **common | ({"variant": origin.team} if origin.team else {}),  # type: ignore[arg-type]
        )


def _to_parquet(lines: Path, days: Path) -> None:
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            f"COPY (SELECT *, strftime(make_timestamp(occurred_at * 1000), '%Y-%m-%d') AS day "
            f"FROM read_json('{_quoted(lines)}', format = 'newline_delimited', "
            f"columns = {{{columns}}}) ORDER BY seq, line) "
            f"TO '{_quoted(days)}' (FORMAT parquet, PARTITION_BY (day))"
        )


def _move_in(days: Path, folder: Path, name: str) -> None:
    for day in sorted(days.iterdir()):
        target = folder / day.name
        target.mkdir(exist_ok=True)
        for number, file in enumerate(sorted(day.iterdir())):
            sync(file)
            file.rename(target / f"part-{name}-{number}.parquet")
        sync(target)


def _remove_beyond(folder: Path, seq: int) -> None:
    for part in folder.glob("day=*/part-*.parquet"):
        if int(part.name.split("-")[1]) > seq:
            part.unlink()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
