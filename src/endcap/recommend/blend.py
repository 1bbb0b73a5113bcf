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
        self._sized(size)
        sums = self._sums
        for listed in lists:
            sums[listed.found.items] += listed.parts
        rows = self._each_once(np.concatenate([listed.found.items for listed in lists]))
        scores = sums[rows]
        sums[rows] = 0.0
        return rows, scores

    def _each_once(self, rows: IntArray) -> IntArray:
        """The rows without repeats, in no particular order."""
        numbers = np.arange(len(rows), dtype=np.int32)
        # Of the places of a row one is written last; that one stays.
        self._places[rows] = numbers
        found: IntArray = rows[self._places[rows] == numbers]
        return found

    def _sized(self, size: int) -> None:
        if len(self._places) < size:
            self._sums = np.zeros(max(size, 2 * len(self._sums)))
            self._places = np.zeros(len(self._sums), np.int32)

    def shares(self, rows: IntArray, lists: list[Listed], size: int) -> list[list[Share]]:
        """Who proposed each row, the largest share first; rows are different ones."""
        shares: list[list[Share]] = [[] for _ in range(len(rows))]
        if not lists or not len(rows):
            return shares
        self._sized(size)
        items = [listed.found.items for listed in lists]
        all_items = items[0] if len(items) == 1 else np.concatenate(items)
        # Where each row stands among `rows`; a row that is not there points to another.
        self._places[all_items] = 0
        self._places[rows] = np.arange(len(rows), dtype=np.int32)
        proposed = np.flatnonzero(rows[self._places[all_items]] == all_items)
        slots = self._places[all_items[proposed]].tolist()
        number, begin, end = 0, 0, len(items[0])
        for at, slot in zip(proposed.tolist(), slots, strict=True):
            while at >= end:
                number += 1
                begin, end = end, end + len(items[number])
            strategy, found, parts = lists[number]
            shares[slot].append(Share(strategy, found, at - begin, float(parts[at - begin])))
        for one in shares:
            if len(one) > 1:
                one.sort(key=_by_share)
        return shares


def _by_share(share: Share) -> float:
    return -share.share
