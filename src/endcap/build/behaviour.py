"""The tables of a snapshot beside its relations: trends, repurchase, search terms, audiences."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.core.times import DAY, HOUR

from .engines.engine import Columns, Engine
from .parameters import BuildParameters
from .relations import parameter_values
from .snapshot_writer import SnapshotWriter

COHORTS = ("new", "loyal", "lapsed", "big_spender")
Make = Callable[[Engine, SnapshotWriter, BuildParameters, int], None]


class TableStep(NamedTuple):
    """One step of a build; `make` gets engine, writer, parameters and the time counted up to."""

    name: str
    make: Make


def trend(engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int) -> None:
    """Visitors per product in the recent stretch, and in all the stretches of the baseline.

    A log that is younger than the baseline asked for has a shorter one. In a shop so quiet that no
    product has `trend_volume` visitors in a stretch, weeks are compared instead.
    """
    recent_ms = parameters.trend_hours * HOUR
    rows, buckets = _trend(engine, parameters, as_of, recent_ms)
    if int(rows["recent"].max(initial=0)) < parameters.trend_volume and recent_ms < 7 * DAY:
        weekly, weeks = _trend(engine, parameters, as_of, 7 * DAY)
        if weeks:
            rows, buckets, recent_ms = weekly, weeks, 7 * DAY
    writer.table(
        "trend",
        {
            "recent": _spread(rows["product"], rows["recent"], writer.products, np.int32),
            "baseline": _spread(rows["product"], rows["baseline"], writer.products, np.int32),
            "shape": np.array([recent_ms, buckets, as_of], np.int64),
        },
    )


def _trend(
    engine: Engine, parameters: BuildParameters, as_of: int, recent_ms: int
) -> tuple[Columns, int]:
    """The rows of the kernel, and how many whole stretches before the recent one the log has."""
    oldest = engine.number("SELECT MIN(occurred_at) FROM lines")
    whole = (as_of - oldest) // recent_ms if oldest else 0
    longest = max(1, parameters.trend_stretches * parameters.trend_hours * HOUR // recent_ms)
    buckets = max(0, min(longest, whole - 1))
    values = parameter_values(parameters)
    values |= {"recent_ms": recent_ms, "buckets": buckets, "as_of": as_of}
    return engine.run("trend", values), buckets


def repurchase(
    engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int
) -> None:
    """The median days between two purchases, how many pairs it rests on, and of what."""
    rows = engine.run("repurchase", parameter_values(parameters))
    kinds: dict[str, Any] = {"days": np.float32, "intervals": np.int32, "basis": np.int8}
    writer.table(
        "repurchase",
        {
            name: _spread(rows["product"], rows[name], writer.products, kind)
            for name, kind in kinds.items()
        },
    )


def searched(
    engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int
) -> None:
    """The best products of each search term; `offsets` says where a term's begin."""
    names: list[str] = engine.query("SELECT name FROM term_names ORDER BY name")["name"].tolist()
    names.sort(key=str.encode)
    rows = engine.run("searched", parameter_values(parameters))
    writer.texts("terms", names)
    columns = {c: rows[c].astype(np.int32) for c in ("product", "clicks", "carts", "purchases")}
    columns["score"] = rows["score"].astype(np.float32)
    writer.table("searched", {"offsets": _offsets(rows["term"], len(names)), **columns})


def audiences(
    engine: Engine,
    writer: SnapshotWriter,
    parameters: BuildParameters,
    as_of: int,
    segments: Sequence[str] = (),
) -> None:
    """Best sellers per window in each shipping zone, and among each cohort of customers.

    The shop's own `segments` come last: a name that is a ready one's, too, is the shop's.
    """
    zones = engine.query("SELECT name FROM zones ORDER BY number")["name"].tolist()
    names = [f"zone:{zone}" for zone in zones]
    names += [f"segment:{cohort}" for cohort in (*COHORTS, *segments)]
    writer.texts("audiences", names)
    values = parameter_values(parameters) | {"zones": len(zones), "as_of": as_of}
    engine.table("audience_visitors", "audience_visitors", values)
    for days in parameters.windows:
        rows = engine.run("popularity_audience", values | {"since": as_of - days * DAY})
        columns = {c: rows[c].astype(np.int32) for c in ("product", "buyers", "viewers")}
        columns["score"] = rows["score"].astype(np.float32)
        offsets = _offsets(rows["audience"], len(names))
        writer.table(f"audience.{days}d", {"offsets": offsets, **columns})
    engine.drop("audience_visitors")


def offers(engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int) -> None:
    """How often each offer was made."""
    rows = engine.query("SELECT name, times FROM offered")
    made = sorted(zip(rows["name"].tolist(), rows["times"].tolist(), strict=True))
    writer.texts("offers", [name for name, _ in made])
    writer.table("offers", {"times": np.array([times for _, times in made], np.int64)})


TABLES = (
    TableStep("trend", trend),
    TableStep("repurchase", repurchase),
    TableStep("searched", searched),
    TableStep("offers", offers),
)


def _spread(
    products: npt.NDArray[Any], values: npt.NDArray[Any], size: int, kind: Any
) -> npt.NDArray[Any]:
    """One value per product of the snapshot; 0 for those without a row."""
    column = np.zeros(size, kind)
    column[products] = values
    return column


def _offsets(groups: npt.NDArray[Any], size: int) -> npt.NDArray[np.int64]:
    """Where the rows of each group begin, for rows sorted by group."""
    offsets = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(groups.astype(np.int64), minlength=size), out=offsets[1:])
    return offsets
