"""Ordered co-occurrence within sessions, with decay by distance: which product follows which.

For clicks x and y of one session, `gap` places apart (1 to `reach`), x -> y counts 1 / gap^fade
and y -> x `backward` times that; a session of age a (in sessions, of N) counts
exp(-a / (recency * N)). The weight of a partner is divided by its number of clicks to the power of
`niche`, each product's partners are cut to the best `partners` and made to sum to 1.
"""

import itertools

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import FloatArray, IntArray, LongArray

from .parameters import Following
from .sessions import Arrays

# Pairs held in memory at a time; products are counted in stretches that keep to it.
PAIRS = 20_000_000


class Sessions:
    """Clicks of sessions in the order of time, and per click its session."""

    def __init__(self, offsets: LongArray, items: IntArray, products: int) -> None:
        self.items = items
        self.products = products
        self.session: IntArray = np.repeat(
            np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets)
        )
        self.count = len(offsets) - 1
        self.clicks: LongArray = np.bincount(items, minlength=products).astype(np.int64)

    def pairs(self, gap: int) -> LongArray:
        """Places of the clicks that have another click of their session `gap` places later."""
        return np.flatnonzero(self.session[:-gap] == self.session[gap:])


def follow(sessions: Sessions, kinds: dict[str, Following]) -> dict[str, Arrays]:
    """Count every kind in one pass; per kind `offsets`, `partner`, `weight`, `times`."""
    reach = max(kind.reach for kind in kinds.values())
    gaps = [sessions.pairs(gap) for gap in range(1, reach + 1)]
    parts: dict[str, list[Arrays]] = {name: [] for name in kinds}
    for low, high in _stretches(sessions, gaps):
        counted = _counted(sessions, gaps, low, high, kinds)
        for name, kind in kinds.items():
            parts[name].append(_best(sessions, counted, name, kind))
    return {name: _joined(found, sessions.products) for name, found in parts.items()}


def _stretches(sessions: Sessions, gaps: list[LongArray]) -> list[tuple[int, int]]:
    """Ranges of products whose pairs fit into memory."""
    size = np.zeros(sessions.products, np.int64)
    for gap, at in enumerate(gaps, 1):
        for side in (sessions.items[at], sessions.items[at + gap]):
            size += np.bincount(side, minlength=sessions.products)
    stretch = np.cumsum(size) // PAIRS
    edges = np.flatnonzero(np.diff(stretch, prepend=-1, append=stretch[-1:].sum() + 1))
    return [(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def _counted(
    sessions: Sessions, gaps: list[LongArray], low: int, high: int, kinds: dict[str, Following]
) -> Arrays:
    """Summed weight per pair (a, b) with `low` <= a < `high`, and how often b came after a."""
    keys: list[LongArray] = []
    distance: list[npt.NDArray[np.int8]] = []
    session: list[IntArray] = []
    for gap, at in enumerate(gaps, 1):
        x, y = sessions.items[at], sessions.items[at + gap]
        for a, b, sign in ((x, y, gap), (y, x, -gap)):
            here = np.flatnonzero((a >= low) & (a < high))
            keys.append(a[here].astype(np.int64) * sessions.products + b[here])
            distance.append(np.full(len(here), sign, np.int8))
            session.append(sessions.session[at[here]])
    pairs, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    gap_of = np.concatenate(distance)
    age = sessions.count - 1 - np.concatenate(session)
    counted: Arrays = {
        "a": (pairs // sessions.products).astype(np.int32),
        "b": (pairs % sessions.products).astype(np.int32),
        "times": np.bincount(inverse, gap_of > 0, len(pairs)).astype(np.int32),
    }
    for name, kind in kinds.items():
        weight = np.exp(-age / (kind.recency * sessions.count)) / np.abs(gap_of) ** kind.fade
        weight[gap_of < 0] *= kind.backward
        weight[np.abs(gap_of) > kind.reach] = 0.0
        counted[name] = np.bincount(inverse, weight, len(pairs))
    return counted


def _best(sessions: Sessions, counted: Arrays, name: str, kind: Following) -> Arrays:
    a, b = counted["a"], counted["b"]
    weight: FloatArray = counted[name] / sessions.clicks[b] ** kind.niche
    order = np.lexsort((b, -weight, a))
    order = order[weight[order] > 0]
    a = a[order]
    begins = np.flatnonzero(np.diff(a, prepend=-1))
    rank = np.arange(len(a)) - np.repeat(begins, np.diff(begins, append=len(a)))
    order = order[rank < kind.partners]
    a, weight = counted["a"][order], weight[order]
    totals = np.bincount(a, weight, sessions.products) if len(a) else np.zeros(1)
    return {
        "a": a,
        "partner": b[order],
        "weight": (weight / totals[a]).astype(np.float32),
        "times": counted["times"][order],
    }


def _joined(parts: list[Arrays], products: int) -> Arrays:
    offsets = np.zeros(products + 1, np.int64)
    a = np.concatenate([part["a"] for part in parts]) if parts else np.empty(0, np.int32)
    np.cumsum(np.bincount(a, minlength=products), out=offsets[1:])
    kinds = {"partner": np.int32, "weight": np.float32, "times": np.int32}
    found: Arrays = {"offsets": offsets}
    for column, kind in kinds.items():
        values = [part[column] for part in parts]
        found[column] = np.concatenate(values) if values else np.empty(0, kind)
    return found
