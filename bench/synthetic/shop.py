"""A whole synthetic shop on disk: store, archive and log, made once per size and kept."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

import endcap
from endcap.build.archive import ArchiveState
from endcap.core.event import Event
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.product import ProductWrite
from endcap.ingest.products import canonical
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.storage.sql.sqlite import SqliteStore

from .archive import ArchiveWriter, as_events, pseudonyms_of
from .catalogue import Catalogue, make_catalogue, products
from .events import VIEW, Lines, make_events, make_plan

SECRET = hashlib.sha256(b"synthetic shop").hexdigest()
CHUNK = 5_000
Progress = Callable[[str], None]


class ShopSize(NamedTuple):
    """What decides a synthetic shop. `logged` newest events are in the log too."""

    products: int
    events: int
    logged: int = 1_000_000
    seed: int = 1

    @property
    def name(self) -> str:
        """Name of its folder, e.g. `100000p-1000000e-1`."""
        return f"{self.products}p-{self.events}e-{self.seed}"


class About(msgspec.Struct, frozen=True):
    """What is known of a synthetic shop, kept beside it."""

    products: int
    events: int
    rows: int
    visitors: int
    logged: int
    until: int
    seed: int
    code: str = ""


def make_shop(size: ShopSize, folder: Path, until: int, say: Progress) -> About:
    """Make the shop in `folder`, unless it is there already."""
    file = folder / "synthetic.json"
    code = digest_of("storage/sql/tables.py", "build/archive.py")
    if file.exists():
        about = msgspec.json.decode(file.read_bytes(), type=About)
        if about.code == code:
            return about
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    catalogue = make_catalogue(size.products, size.seed)
    plan = make_plan(size.events, until, size.seed)
    names = pseudonyms_of(plan.visitors, Pseudonyms(bytes.fromhex(SECRET)), DEFAULT_SHOP)
    store = SqliteStore(folder)
    try:
        say(f"storing {size.products:,} products")
        _store_products(store, catalogue, until)
        say(f"archiving {size.events:,} events")
        state, newest = _archive(folder, catalogue, names, make_events(catalogue, plan), size)
        say(f"logging the newest {min(size.logged, size.events):,} events")
        _sample(folder, newest)
        stream = as_events(newest, catalogue, names, DEFAULT_SHOP)
        logged = _log(store, stream, int(newest.event[0]))
    finally:
        store.close()
    about = About(
        products=size.products,
        events=size.events,
        rows=state.rows,
        visitors=plan.visitors,
        logged=logged,
        until=until,
        seed=size.seed,
        code=code,
    )
    file.write_bytes(msgspec.json.encode(about))
    return about


def digest_of(*parts: str) -> str:
    """A digest of code that decides a form on disk: a shop of other code is made anew."""
    found = hashlib.sha256()
    for part in parts:
        place = Path(endcap.__file__).parent / part
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.suffix in (".py", ".sql"):
                found.update(file.read_bytes())
    return found.hexdigest()[:16]


def environment() -> dict[str, str]:
    """The environment of a server that works on a synthetic shop."""
    # A line per request in the log would be measured too.
    ours = {
        "ENDCAP_SECRET": SECRET,
        "ENDCAP_BUILD_EVERY": "0",
        "ENDCAP_LOG_LEVEL": "warning",
    }
    return {k: v for k, v in os.environ.items() if not k.startswith("ENDCAP_")} | ours


def _store_products(store: SqliteStore, catalogue: Catalogue, at: int) -> None:
    stream = products(catalogue)
    while chunk := list(islice(stream, CHUNK)):
        writes = [ProductWrite(product.id, canonical(product)) for product in chunk]
        store.catalogue.write(DEFAULT_SHOP, writes, at)


def _archive(
    folder: Path, catalogue: Catalogue, names: list[str], stretches: Iterator[Lines], size: ShopSize
) -> tuple[ArchiveState, Lines]:
    home = folder / "archive" / f"shop={DEFAULT_SHOP.encode().hex()}"
    writer = ArchiveWriter(home, catalogue, names)
    newest: list[Lines] = []
    for lines in stretches:
        writer.write(lines)
        newest.append(lines)
        while len(newest) > 1 and int(lines.event[-1] - newest[1].event[0]) >= size.logged:
            newest.pop(0)
    joined = Lines(*(np.concatenate(columns) for columns in zip(*newest, strict=True)))
    first = max(0, size.events - size.logged)
    return writer.finish(), Lines(*(column[joined.event >= first] for column in joined))


def _sample(folder: Path, newest: Lines) -> None:
    """Who looked at what lately, for benchmarks to ask as these visitors did."""
    views = np.flatnonzero(newest.kind == VIEW)[-200_000:]
    np.savez(folder / "newest.npz", visitor=newest.visitor[views], product=newest.product[views])


def _log(store: SqliteStore, events: Iterator[Event], first: int) -> int:
    # Places in the log are those of the archive, and new events get places after it.
    with store.write() as connection:
        connection.exec_driver_sql("INSERT INTO sqlite_sequence VALUES ('events', ?)", (first,))
    logged = 0
    while chunk := list(islice(events, CHUNK)):
        logged += sum(store.events.append(chunk, ()))
    return logged
