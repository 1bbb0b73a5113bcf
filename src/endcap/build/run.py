"""One build: archive and catalogue in, a finished snapshot folder out."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from endcap.core.times import SECOND

from .archive import parts, read_state
from .audiences import Audiences, countable, needed, store_members
from .behaviour import COHORTS, TABLES, audiences
from .counters import COUNTERS
from .customers import CUSTOMERS
from .engines.duckdb import DuckEngine
from .engines.engine import Engine
from .parameters import BuildParameters
from .relations import COUNTED, Counted, compare, count, popularity
from .reuse import Reuse
from .snapshot_writer import SnapshotWriter
from .visits import VISITS

Progress = Callable[[str, float], None]


class BuildInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a build reads and where it works.

    `archive` is the shop's archive folder, `exported` holds the catalogue's Parquet files, `work`
    is emptied first and ends with the snapshot in `work/snapshot`. Times are UTC milliseconds.
    `earlier` is the folder of the last snapshot: parts whose input is the same are taken from it.
    `audiences` are the segments of the shop's own that best sellers are counted for. With `master`
    (a Spark master) Spark counts, else DuckDB.
    """

    shop: str
    archive: Path
    exported: Path
    work: Path
    as_of: int
    built_at: int
    memory: str = "2GB"
    threads: int = 2
    earlier: Path | None = None
    audiences: Audiences = Audiences()
    master: str | None = None


class Work(NamedTuple):
    """What the steps of a build work with."""

    engine: Engine
    writer: SnapshotWriter
    parameters: BuildParameters


def build(job: BuildInput, parameters: BuildParameters, progress: Progress) -> Path:
    """Run every kernel and write the snapshot; the caller publishes the folder returned.

    The same input and parameters give the same arrays, byte for byte.
    """
    folder = job.work / "snapshot"
    shutil.rmtree(job.work, ignore_errors=True)
    folder.mkdir(parents=True)
    state = read_state(job.archive)
    steps = len(COUNTED) + len(parameters.windows) + 3
    with engine_of(job) as engine:
        progress("reading the log", 0.0)
        own = countable(job.audiences)
        engine.load(parts(job.archive), job.exported, needed(own, job.audiences.currency))
        first = engine.number("SELECT COUNT(*) FROM zones") + len(COHORTS)
        store_members(engine, own, job.audiences, first, job.as_of)
        ids = engine.query("SELECT id FROM products ORDER BY product")["id"].tolist()
        writer = SnapshotWriter(folder, len(ids))
        writer.ids(ids)
        work = Work(engine, writer, parameters)
        reuse = Reuse(engine, writer, parameters, ids).after(job.earlier)
        for step, relation in enumerate(COUNTED, 1):
            progress(relation.name, step / steps)
            reuse.part(relation.name, relation.inputs, partial(_count, work, relation))
        progress("similar", (len(COUNTED) + 1) / steps)
        reuse.part("similar", ("features", "products"), partial(_compare, work, len(ids)))
        for step, days in enumerate(parameters.windows, len(COUNTED) + 2):
            progress(f"popularity {days} d", step / steps)
            writer.popularity(days, popularity(engine, days, parameters, job.as_of))
        for table in (*TABLES, *COUNTERS):
            progress(table.name, (steps - 1) / steps)
            table.make(engine, writer, parameters, job.as_of)
        progress("audiences", (steps - 1) / steps)
        audiences(engine, writer, parameters, job.as_of, [one.name for one in own])
        for table, inputs in ((VISITS, ("view", "click", "cart_add")), (CUSTOMERS, ("purchase",))):
            progress(table.name, (steps - 1) / steps)
            make = partial(table.make, engine, writer, parameters, job.as_of)
            reuse.part(table.name, inputs, make)
        counts = _counts(engine) | {"products": len(ids), "events": state.events}
    writer.finish(
        {
            "shop": job.shop,
            "version": _version(job.built_at, writer.digests()),
            "built_at": job.built_at,
            "as_of": job.as_of,
            "log_seq": state.seq,
            "counts": counts,
            "keys": reuse.keys,
            "parameters": msgspec.to_builtins(parameters),
        }
    )
    progress("done", 1.0)
    return folder


def engine_of(job: BuildInput) -> Engine:
    """The engine that the job names. Raises ConfigurationError when it is not installed."""
    if job.master is None:
        return DuckEngine(job.work, job.memory, job.threads)
    from .engines.spark import SparkEngine

    return SparkEngine(job.work, job.memory, job.master)


def _count(work: Work, relation: Counted) -> None:
    work.writer.relation(
        relation.name, count(work.engine, relation, work.parameters, work.writer.products)
    )


def _compare(work: Work, products: int) -> None:
    work.writer.relation("similar", compare(work.engine, work.parameters, products))


def _counts(engine: Engine) -> dict[str, int]:
    return {
        "lines": engine.number("SELECT COUNT(*) FROM lines"),
        "visitors": engine.number("SELECT COUNT(DISTINCT visitor) FROM lines"),
        "baskets": engine.number("SELECT COUNT(DISTINCT seq) FROM lines WHERE type = 'purchase'"),
    }


def _version(built_at: int, digests: Mapping[str, str]) -> str:
    """Time of the build and a short digest of its arrays, e.g. `20260131T120000123Z-1f2e3d4c`.

    Milliseconds are in it because names sort snapshots, and a small shop is built twice a second.
    """
    content = hashlib.sha256("".join(f"{n} {d}\n" for n, d in sorted(digests.items())).encode())
    moment = datetime.fromtimestamp(built_at / SECOND, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{built_at % SECOND:03d}Z-{content.hexdigest()[:8]}"
