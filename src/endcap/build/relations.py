"""Which relations a build makes, and from which units each is counted."""

from typing import NamedTuple

import numpy as np

from endcap.core.times import DAY

from .engines.engine import Columns, Engine
from .parameters import BuildParameters
from .stretches import run_placed, stretches


class Counted(NamedTuple):
    """A relation counted from units that hold products together; `kernel` makes the units."""

    name: str
    kernel: str
    inputs: tuple[str, ...]


class Made(NamedTuple):
    """The rows of a relation (`a`, `b`, `score` and evidence), and totals per product."""

    rows: Columns
    units: int
    totals: Columns


COUNTED = (
    Counted("also_bought", "pairs_visitor", ("purchase",)),
    Counted("bought_together", "pairs_basket", ("purchase",)),
    Counted("also_viewed", "pairs_session", ("view", "click")),
)
EVIDENCE = {relation.name: ("pairs", "lift", "llr") for relation in COUNTED} | {
    "similar": ("shared", "closeness")
}


def count(engine: Engine, relation: Counted, parameters: BuildParameters, products: int) -> Made:
    """Count one co-occurrence relation. Age counts back from its newest unit, not from now: the
    order of partners is the same, and an hour without orders changes nothing."""
    values = parameter_values(parameters)
    engine.table("units", relation.kernel, values)
    units = engine.number("SELECT COUNT(DISTINCT unit) FROM units")
    engine.query(
        "CREATE OR REPLACE TABLE totals AS "
        "SELECT product, COUNT(*) AS total FROM units GROUP BY product"
    )
    oldest = engine.number("SELECT MIN(moment) FROM units")
    as_of = engine.number("SELECT MAX(moment) FROM units")
    # A basket or a visit is one moment; only a visitor's purchases can lie far apart.
    window = parameters.bought_window_days if relation.name == "also_bought" else 100_000
    values |= {
        "as_of": as_of,
        "half_history_ms": max(1.0, (as_of - oldest) / 2) if units else 1.0,
        "window_ms": window * DAY,
        "units": units,
    }
    engine.table("pairs", "pairs", values)
    engine.drop("units")
    totals = engine.query("SELECT product, total FROM totals ORDER BY product")
    sizes = np.zeros(products)
    sizes[totals["product"]] = totals["total"]
    ranges = stretches(sizes, 2 * engine.number("SELECT COUNT(*) FROM pairs"))
    made = Made(run_placed(engine, "scored", values, ranges), units, totals)
    engine.drop("pairs")
    return made


def compare(engine: Engine, parameters: BuildParameters, products: int) -> Made:
    """Find products alike by attributes."""
    rows = engine.number("SELECT COUNT(*) FROM features")
    stretch = max(8, min(5_000, parameters.similar_pairs // max(1, rows)))
    values = parameter_values(parameters) | {"products": products, "stretch": stretch}
    none: Columns = {"product": np.empty(0, np.int32), "total": np.empty(0, np.int64)}
    for table in ("similar_weights", "similar_pairs"):
        engine.table(table, table, values)
    pairs = engine.number("SELECT COUNT(*) FROM similar_pairs")
    ranges = stretches(np.ones(products), 2 * pairs)
    made = Made(run_placed(engine, "similar", values, ranges), products, none)
    for table in ("similar_pairs", "similar_weights"):
        engine.drop(table)
    return made


def popularity(engine: Engine, days: int, parameters: BuildParameters, as_of: int) -> Columns:
    """Count popularity in the `days` before `as_of`."""
    return engine.run(
        "popularity", parameter_values(parameters) | {"since": as_of - days * DAY, "as_of": as_of}
    )


def parameter_values(parameters: BuildParameters) -> dict[str, int | float]:
    """The parameters a kernel takes, by placeholder."""
    names = parameters.__struct_fields__
    return {n: v for n in names if isinstance(v := getattr(parameters, n), int | float)}
