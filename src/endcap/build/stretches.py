"""Kernels that are run for a stretch of products at a time, so that their rows fit into memory."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import IntArray, LongArray

from .engines.engine import Columns, Engine

# Rows that a kernel ranks at a time; a product with more is taken whole.
ROWS = 12_000_000


def stretches(sizes: npt.NDArray[Any], rows: int) -> list[tuple[int, int]]:
    """Ranges of products, `low` to below `high`, of about `ROWS` of the `rows` each.

    `sizes` says in any unit how the rows are spread over the products.
    """
    parts = max(1, -(-rows // ROWS))
    done = np.cumsum(sizes, dtype=np.float64)
    total = float(done[-1]) if len(done) else 0.0
    edges = [int(np.searchsorted(done, total * part / parts)) for part in range(1, parts)]
    every = [0, *edges, len(sizes)]
    return [(low, high) for low, high in itertools.pairwise(every) if low < high]


def run_placed(
    engine: Engine,
    kernel: str,
    values: Mapping[str, int | float],
    ranges: Sequence[tuple[int, int]],
) -> Columns:
    """The rows of a kernel that numbers each product's partners by `place`, in that order."""
    made = [placed(engine.run(kernel, {**values, "low": a, "high": b}), a, b) for a, b in ranges]
    if not made:
        return placed(engine.run(kernel, {**values, "low": 0, "high": 0}), 0, 0)
    joined = {}
    for name in list(made[0]):
        # Taken out one by one, so that no column is held twice for long.
        joined[name] = np.concatenate([part.pop(name) for part in made])
    return joined


def placed(rows: Columns, low: int, high: int) -> Columns:
    """The rows sorted by `a` and `place` (from 1, without gaps), without sorting; `place` goes."""
    a = rows["a"] - low
    counts = np.bincount(a, minlength=max(0, high - low))
    order: LongArray = (np.cumsum(counts) - counts)[a] + rows["place"] - 1
    return {name: _scattered(column, order) for name, column in rows.items() if name != "place"}


def _scattered(column: npt.NDArray[Any], order: LongArray) -> npt.NDArray[Any]:
    moved = np.empty_like(column)
    moved[order] = column
    return moved


def offsets_of(sorted_rows: IntArray, products: int) -> LongArray:
    """Where each product's rows begin."""
    offsets = np.zeros(products + 1, np.int64)
    np.cumsum(np.bincount(sorted_rows, minlength=products), out=offsets[1:])
    return offsets
