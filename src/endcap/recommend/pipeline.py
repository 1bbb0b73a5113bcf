"""The request path from plan to picks, in the one published order of operations.

eligibility -> candidates per strategy -> blend -> arrange -> fallback rungs until full.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray

from .eligibility import Eligibility
from .plan import Plan, Strategy
from .query import Marks, Query, State
from .stages import Allow, Found, Ranked

# Candidates asked of each strategy: enough that two strategies overlap and rerankers can choose.
BREADTH = 100


class Share(NamedTuple):
    """One strategy's part in one pick; `place` is the candidate's place in what it found."""

    strategy: Strategy
    found: Found
    place: int
    share: float


class Pick(NamedTuple):
    """One filled slot: catalogue row, final score, the rung that filled it, and who proposed it."""

    row: int
    score: float
    rung: str
    shares: list[Share]


class Outcome(msgspec.Struct, frozen=True):
    """The picks in order, the last fallback rung used (None when none was), and the trace."""

    picks: list[Pick]
    fallback: str | None
    trace: dict[str, Any] | None


class Pipeline:
    """Runs plans. Holds scratch arrays, so one pipeline serves one thread."""

    def __init__(self) -> None:
        self._blocked = Marks()
        self._sums: FloatArray = np.zeros(0)
        self._places: IntArray = np.zeros(0, np.int32)

    def run(self, plan: Plan, query: Query, state: State, explain: bool = False) -> Outcome:
        """Fill the slots. The same plan, query and state give the same picks."""
        blocked = self._blocked.sized(len(state.columns))
        trace: dict[str, Any] | None = {"strategies": [], "rungs": []} if explain else None
        fallback = None
        with Eligibility(plan, query, state, blocked) as allow:
            picks = self._strategies(plan, query, state, allow, trace)
            for rung in plan.fallback:
                if len(picks) >= query.count:
                    break
                more = _fill(rung, query, state, allow, picks)
                if more:
                    fallback = rung.name
                    picks += more
                if trace is not None:
                    trace["rungs"].append({"rung": rung.name, "added": len(more)})
        return Outcome(picks[: query.count], fallback, trace)

    def _strategies(
        self,
        plan: Plan,
        query: Query,
        state: State,
        allow: Allow,
        trace: dict[str, Any] | None,
    ) -> list[Pick]:
        want = max(BREADTH, 2 * query.count)
        lists = [(s, _retrieved(s, query, state, allow, want)) for s in plan.strategies]
        lists = [(strategy, found) for strategy, found in lists if len(found.items)]
        if trace is not None:
            trace["strategies"] = [
                {"strategy": s.name, "weight": s.weight, "candidates": len(f.items)}
                for s, f in lists
            ]
        if not lists:
            return []
        rows, scores = self._blend(lists, len(state.columns))
        rows, scores = _ordered(rows, scores, query.count, state)
        for reranker in plan.rerankers:
            kept = reranker.arrange(Ranked(rows, scores), query, state)
            rows, scores = rows[kept], scores[kept]
        rows, scores = rows[: query.count], scores[: query.count]
        shares = self._shares(rows, lists, len(state.columns))
        return [
            Pick(row, score, "strategies", share)
            for row, score, share in zip(rows.tolist(), scores.tolist(), shares, strict=True)
        ]

    def _shares(
        self, rows: IntArray, lists: list[tuple[Strategy, Found]], size: int
    ) -> list[list[Share]]:
        """Who proposed each row, the largest share first."""
        if len(self._places) < size:
            self._places = np.zeros(max(size, 2 * len(self._places)), np.int32)
        shares: list[list[Share]] = [[] for _ in range(len(rows))]
        for strategy, found in lists:
            # Where each row stands in this list; a row that is not in it points somewhere else.
            self._places[found.items] = np.arange(len(found.items), dtype=np.int32)
            places = np.minimum(self._places[rows], len(found.items) - 1)
            proposed = np.flatnonzero(found.items[places] == rows)
            values = _scaled(strategy, found)[places]
            for at in proposed.tolist():
                share = Share(strategy, found, int(places[at]), float(values[at]))
                shares[at].append(share)
        for one in shares:
            one.sort(key=lambda share: -share.share)
        return shares

    def _blend(self, lists: list[tuple[Strategy, Found]], size: int) -> tuple[IntArray, FloatArray]:
        """Weighted sum of the lists, each scaled so that its best candidate counts 1."""
        if len(lists) == 1:
            strategy, found = lists[0]
            return found.items, _scaled(strategy, found)
        if len(self._sums) < size:
            self._sums = np.zeros(max(size, 2 * len(self._sums)))
        sums = self._sums
        for strategy, found in lists:
            sums[found.items] += _scaled(strategy, found)
        rows = np.unique(np.concatenate([found.items for _, found in lists]))
        scores = sums[rows]
        sums[rows] = 0.0
        return rows, scores


def _retrieved(strategy: Strategy, query: Query, state: State, allow: Allow, want: int) -> Found:
    """What the strategy finds; a score that is no finite number counts nothing."""
    found = strategy.retriever.retrieve(query, state, allow, want)
    if not np.isfinite(found.scores.sum()):
        finite = np.nan_to_num(found.scores, nan=0.0, posinf=0.0, neginf=0.0)
        return found._replace(scores=finite)
    return found


def _scaled(strategy: Strategy, found: Found) -> FloatArray:
    best = found.scores.max()
    # A list whose best score is not positive says nothing about order: all its candidates tie.
    scaled: FloatArray = found.scores / best if best > 0 else np.full(len(found.scores), 1e-9)
    return strategy.weight * scaled


def _ordered(
    rows: IntArray, scores: FloatArray, count: int, state: State
) -> tuple[IntArray, FloatArray]:
    """By falling score; ties by product id, decided only where they can reach the slate."""
    order = np.argsort(-scores, kind="stable")
    rows, scores = rows[order], scores[order]
    ids = state.columns.ids
    start = 0
    while start < min(len(rows), count):
        end = int(np.searchsorted(-scores, -scores[start], side="right"))
        if end - start > 1:
            rows[start:end] = sorted(rows[start:end].tolist(), key=ids.__getitem__)
        start = max(end, start + 1)
    return rows, scores


def _fill(
    rung: Strategy, query: Query, state: State, allow: Allow, picks: list[Pick]
) -> list[Pick]:
    """What a fallback rung adds to the picks so far."""
    missing = query.count - len(picks)
    found = _retrieved(rung, query, state, allow, query.count + len(picks))
    if not len(found.items):
        return []
    taken = np.array([pick.row for pick in picks], np.int32)
    fresh = np.flatnonzero(~np.isin(found.items, taken))
    places = fresh[np.argsort(-found.scores[fresh], kind="stable")][:missing]
    scaled = _scaled(rung, found)
    return [
        Pick(
            int(found.items[place]),
            float(scaled[place]),
            rung.name,
            [Share(rung, found, place, float(scaled[place]))],
        )
        for place in places.tolist()
    ]
