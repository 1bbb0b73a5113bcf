"""Session-kNN: sessions that share products with the current one, and what else they hold.

The VMIS-kNN / V-SKNN / STAN family (Ludewig & Jannach 2018; Garg et al. 2019; Kersbergen et al.
2022). Work is bounded per request whatever the popularity of the products: each product brings at
most `newest` sessions, and the clicks of at most `best` of them are read.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import FloatArray, IntArray, LongArray

from .session_pool import Clicks, SessionPool
from .session_tail import NO_SESSIONS


class Neighbours(NamedTuple):
    """Sessions like the current one: number, likeness, and the last place of the newest product
    of the current session that they hold."""

    sessions: LongArray
    likeness: FloatArray
    match: LongArray

    def taken(self, kept: npt.NDArray[Any]) -> "Neighbours":
        """Some of them, by place or by flag."""
        return Neighbours(self.sessions[kept], self.likeness[kept], self.match[kept])


class Continued(NamedTuple):
    """What the neighbours hold: rows (each once, in no order), their weights, and all clicks."""

    rows: IntArray
    weights: FloatArray
    clicks: Clicks


NO_NEIGHBOURS = Neighbours(NO_SESSIONS, np.empty(0), NO_SESSIONS)


def matching(pool: SessionPool, rows: IntArray, weights: FloatArray, newest: int) -> Neighbours:
    """Sessions that hold any of the rows; likeness is the sum of the weights of those they hold.

    `rows` hold each product once, the newest first; weights are above 0.
    """
    sums = pool.scratch()
    found: list[LongArray] = []
    places: list[LongArray] = []
    for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
        sessions, place = pool.sessions(row, newest)
        fresh = sums[sessions] == 0
        found.append(sessions[fresh])
        places.append(place[fresh])
        sums[sessions] += weight
    if not found:
        return NO_NEIGHBOURS
    sessions = np.concatenate(found)
    likeness = sums[sessions]
    sums[sessions] = 0.0
    return Neighbours(sessions, likeness, np.concatenate(places))


def nearest(neighbours: Neighbours, best: int) -> Neighbours:
    """The `best` neighbours; the newer of two that are alike."""
    if len(neighbours.sessions) <= best:
        return neighbours
    likeness = neighbours.likeness
    edge = -np.partition(-likeness, best - 1)[best - 1]
    above = np.flatnonzero(likeness > edge)
    ties = np.flatnonzero(likeness == edge)
    ties = ties[np.argsort(-neighbours.sessions[ties], kind="stable")][: best - len(above)]
    kept = np.concatenate([above, ties])
    return neighbours.taken(kept)


def continued(pool: SessionPool, neighbours: Neighbours, reach: float, back: float) -> Continued:
    """Products of the neighbours, each click weighted by likeness and distance to the match.

    A click `d` places from the match counts exp(-|d| / reach), times `back` when it came before.
    """
    clicks = pool.clicks(neighbours.sessions)
    distance = clicks.place - neighbours.match[clicks.owner]
    weights = neighbours.likeness[clicks.owner] * np.exp(-np.abs(distance) / reach)
    weights[distance < 0] *= back
    rows, inverse = pool.numbered(clicks.rows)
    sums = np.bincount(inverse, weights, len(rows)).astype(np.float64)
    return Continued(rows, sums, clicks)


def sessions_with(clicks: Clicks, rows: IntArray) -> LongArray:
    """In how many of the sessions each of some rows was clicked; the rows are different ones."""
    asked = np.flatnonzero(np.isin(clicks.rows, rows))
    order = np.argsort(rows)
    number = order[np.searchsorted(rows, clicks.rows[asked], sorter=order)]
    # A session counts once for a product that it holds twice.
    width = int(clicks.owner.max(initial=0)) + 1
    pairs = np.sort(number * width + clicks.owner[asked])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    counted: LongArray = np.bincount(pairs // width, minlength=len(rows))
    return counted
