"""Putting the strategies' lists together, and telling afterwards who proposed what."""

from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, FloatArray, IntArray

from .plan import Strategy
from .query import Query, State
from .stages import Allow, Found

# Cormack, Clarke, Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet …": k = 60.
RANK_OFFSET = 60


class Share(NamedTuple):
    """One strategy's part in one pick; `place` is the candidate's place in what it found."""

    strategy: Strategy
    found: Found
    place: int
    share: float


class Listed(NamedTuple):
    """What one strategy found, and what each candidate contributes to the blend."""

    strategy: Strategy
    found: Found
    parts: FloatArray


def retrieved(strategy: Strategy, query: Query, state: State, allow: Allow, want: int) -> Found:
    """What the strategy finds; a score that is no finite number counts nothing."""
    found = strategy.retriever.retrieve(query, state, allow, want)
    if not np.isfinite(found.scores.sum()):
        finite = np.nan_to_num(found.scores, nan=0.0, posinf=0.0, neginf=0.0)
        return found._replace(scores=finite)
    return found


def contributions(blend: str, strategy: Strategy, found: Found) -> FloatArray:
    """What each candidate contributes: weight * score / best (or sum, or 1), or / (60 + rank)."""
    scores = found.scores
    if blend == "reciprocal_rank":
        return np.asarray(strategy.weight / (RANK_OFFSET + _ranks(scores)))
    if strategy.scale == "none":
        return strategy.weight * scores
    whole = scores.max() if strategy.scale == "best" else scores.sum()
    # A list without a positive score says nothing about order: all its candidates tie.
    if not whole > 0:
        return np.full(len(scores), strategy.weight * 1e-9)
    return np.asarray(strategy.weight * scores / whole)


def _ranks(scores: FloatArray) -> FloatArray:
    """The rank of each score from 1; those that tie share the best one, in whatever order found."""
    order = np.argsort(-scores, kind="stable")
    new = np.diff(scores[order], prepend=np.nan) != 0
    ranks = np.empty(len(scores))
    ranks[order] = np.maximum.accumulate(np.where(new, np.arange(1, len(scores) + 1), 0))
    return ranks


class Blender:
    """Adds lists up by row. Holds scratch arrays, so one blender serves one thread."""

    def __init__(self) -> None:
        self._sums: FloatArray = np.zeros(0)
        self._places: IntArray = np.zeros(0, np.int32)

    def blend(self, lists: list[Listed], size: int) -> tuple[IntArray, FloatArray]:
        """Rows that any list has, each once, and the sums of what the lists contribute."""
        if not lists:
            return NO_ITEMS, np.empty(0)
        if len(lists) == 1:
            return lists[0].found.items, lists[0].parts
        if len(self._sums) < size:
            self._sums = np.zeros(max(size, 2 * len(self._sums)))
        sums = self._sums
        for listed in lists:
            sums[listed.found.items] += listed.parts
        rows = self._each_once(np.concatenate([listed.found.items for listed in lists]), size)
        scores = sums[rows]
        sums[rows] = 0.0
        return rows, scores

    def _each_once(self, rows: IntArray, size: int) -> IntArray:
        """The rows without repeats, in no particular order."""
        places = self._sized_places(size)
        numbers = np.arange(len(rows), dtype=np.int32)
        # Of the places of a row one is written last; that one stays.
        places[rows] = numbers
        found: IntArray = rows[places[rows] == numbers]
        return found

    def _sized_places(self, size: int) -> IntArray:
        if len(self._places) < size:
            self._places = np.zeros(max(size, 2 * len(self._places)), np.int32)
        return self._places

    def shares(self, rows: IntArray, lists: list[Listed], size: int) -> list[list[Share]]:
        """Who proposed each row, the largest share first."""
        self._sized_places(size)
        shares: list[list[Share]] = [[] for _ in range(len(rows))]
        for strategy, found, parts in lists:
            # Where each row stands in this list; a row that is not in it points somewhere else.
            self._places[found.items] = np.arange(len(found.items), dtype=np.int32)
            places = np.minimum(self._places[rows], len(found.items) - 1)
            proposed = np.flatnonzero(found.items[places] == rows)
            values = parts[places]
            for at in proposed.tolist():
                shares[at].append(Share(strategy, found, int(places[at]), float(values[at])))
        for one in shares:
            one.sort(key=lambda share: -share.share)
        return shares
