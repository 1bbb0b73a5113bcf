"""The request path from plan to picks, in the one published order of operations.

eligibility -> candidates per strategy -> blend -> boost and bury -> sort -> rerankers -> quotas ->
fallback rungs until full -> pins.
"""

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, FloatArray, IntArray

from .active_rule import ActiveRule
from .blend import Blender, Listed, contributions, retrieved
from .eligibility import Eligibility
from .fixed_effects import FixedEffects
from .merchandising import NO_RULES, PlacementRules, RequestRules
from .picks import Pick, Step, Work, placed
from .pins import pinned, with_quotas
from .plan import Plan
from .query import Query, State
from .rungs import filled
from .sorting import sorted_places
from .stages import Ranked
from .standing import Standing

# Candidates asked of each strategy: enough that two strategies overlap and rerankers can choose.
BREADTH = 100
STRATEGIES = "strategies"
# How many removed candidates of each strategy a trace names.
REMOVED_SHOWN = 10


class Outcome(msgspec.Struct, frozen=True):
    """The picks in order, the last fallback rung used (None when none was), and what led there.

    `lists` are the candidates of each strategy. Only when asked to explain: `steps`, the order
    after each step, and `removed`, what strategies would have proposed but for eligibility (row,
    strategy, what removed it).
    """

    picks: list[Pick]
    fallback: str | None
    rules: RequestRules
    lists: list[Listed]
    steps: list[Step]
    rungs: list[tuple[str, int]]
    removed: list[tuple[int, str, str]]


class Pipeline:
    """Runs plans. Holds scratch arrays, so one pipeline serves one thread."""

    def __init__(self) -> None:
        self._standing = Standing()
        self._blender = Blender()
        self._effects = FixedEffects()

    def run(
        self,
        plan: Plan,
        query: Query,
        state: State,
        explain: bool = False,
        rules: PlacementRules = NO_RULES,
    ) -> Outcome:
        """Fill the slots. The same plan, query, state and rules give the same picks."""
        on = RequestRules(rules, query, state, self._effects)
        with Eligibility(plan, query, state, self._standing, on) as allow:
            work = Work(plan, query, state, on, allow, explain)
            lists, ranked, moved = self._ranked(work)
            pins = pinned(on, ranked.rows, query, state, allow) if on.pins else []
            own = np.array([pin.row for pin in pins], np.int32) if pins else NO_ITEMS
            free = np.flatnonzero(~np.isin(ranked.rows, own)) if pins else slice(None)
            first = Ranked(ranked.rows[free][: query.count], ranked.scores[free][: query.count])
            picks = self._picks(lists, first, moved, len(state.columns))
            picks, fallback = filled(work, picks, pins)
            picks = _sorted(work, picks)
            if pins:
                there = np.flatnonzero(np.isin(ranked.rows, own))
                pinned_too = Ranked(ranked.rows[there], ranked.scores[there])
                known = self._picks(lists, pinned_too, moved, len(state.columns))
                picks = placed(picks, pins, {pick.row: pick for pick in known}, query.count)
            removed = _removed(work) if explain else []
        return Outcome(picks[: query.count], fallback, on, lists, work.steps, work.rungs, removed)

    def prepare(self, rules: PlacementRules, state: State) -> None:
        """Make ready what the first request under new rules would wait for."""
        self._effects.prepare(rules, state)

    def why_not(
        self, plan: Plan, query: Query, state: State, row: int, rules: PlacementRules = NO_RULES
    ) -> str | None:
        """What makes the product ineligible for this request first; None when nothing does."""
        on = RequestRules(rules, query, state, self._effects)
        with Eligibility(plan, query, state, self._standing, on) as allow:
            return allow.why_not(row)

    def _ranked(self, work: Work) -> tuple[list[Listed], Ranked, dict[int, ActiveRule]]:
        """The candidates of all strategies in order, and which rule moved which row."""
        plan, query, state = work.plan, work.query, work.state
        want = max(BREADTH, 2 * query.count)
        lists = []
        for strategy in plan.strategies:
            found = retrieved(strategy, query, state, work.allow, want)
            if len(found.items):
                lists.append(Listed(strategy, found, contributions(plan.blend, strategy, found)))
        rows, base = self._blender.blend(lists, len(state.columns))
        return (lists, *_arranged(work, rows, base))

    def _picks(
        self,
        lists: list[Listed],
        ranked: Ranked,
        moved: dict[int, ActiveRule],
        size: int,
    ) -> list[Pick]:
        picks = []
        shares = self._blender.shares(ranked.rows, lists, size)
        values = zip(ranked.rows.tolist(), ranked.scores.tolist(), shares, strict=True)
        for row, score, parts in values:
            base = 0.0
            for part in parts:
                base += part.share
            factor = score / base if base else 1.0
            picks.append(Pick(row, score, STRATEGIES, parts, base, factor, moved.get(row)))
        return picks


def _arranged(work: Work, rows: IntArray, base: FloatArray) -> tuple[Ranked, dict[int, ActiveRule]]:
    """Boost, order, rerank, and meet the quotas."""
    query, state = work.query, work.state
    factor = work.rules.factor(rows, work.plan.boost_cap)
    scores = base if factor is None else base * factor
    ranked = ordered(Ranked(rows, scores), query.count, state)
    _note(work, "order", ranked.rows)
    if query.sort is not None:
        places = sorted_places(ranked.rows, query, state)
        ranked = Ranked(ranked.rows[places], ranked.scores[places])
        _note(work, "sort", ranked.rows)
    for reranker in work.plan.rerankers:
        kept = reranker.arrange(ranked, query, state)
        ranked = Ranked(ranked.rows[kept], ranked.scores[kept])
        _note(work, type(reranker).__name__, ranked.rows)
    if not work.rules.quotas:
        return ranked, {}
    return _with_quotas(work, ranked)


def _sorted(work: Work, picks: list[Pick]) -> list[Pick]:
    """Picks in the order asked for, with those that a quota or a rung brought."""
    if work.query.sort is None:
        return picks
    rows = np.array([pick.row for pick in picks], np.int32)
    return [picks[place] for place in sorted_places(rows, work.query, work.state).tolist()]


def ordered(ranked: Ranked, count: int, state: State) -> Ranked:
    """By falling score; ties by product id, decided only where they can reach the slate."""
    order = np.argsort(-ranked.scores, kind="stable")
    rows, scores = ranked.rows[order], ranked.scores[order]
    ids = state.columns.ids
    # Ties are few and short: comparing neighbours costs less than a call of numpy per score.
    values = scores[: count + 1].tolist()
    start = 0
    while start < min(len(values), count):
        end = start + 1
        while end < len(values) and values[end] == values[start]:
            end += 1
        if end == len(values) and end > start + 1:
            end = start + int(np.count_nonzero(scores[start:] == values[start]))
        if end - start > 1:
            rows[start:end] = sorted(rows[start:end].tolist(), key=ids.__getitem__)
        start = end
    return Ranked(rows, scores)


def _with_quotas(work: Work, ranked: Ranked) -> tuple[Ranked, dict[int, ActiveRule]]:
    rows, moved = with_quotas(work.rules, ranked.rows, work.query, work.state, work.allow)
    # A row from outside the candidates has no score of its own: it counts nothing.
    scores = dict(zip(ranked.rows.tolist(), ranked.scores.tolist(), strict=True))
    _note(work, "quotas", rows)
    return Ranked(rows, np.array([scores.get(row, 0.0) for row in rows.tolist()])), moved


def _removed(work: Work) -> list[tuple[int, str, str]]:
    """The best candidates of each strategy that eligibility took out, with what took them out."""
    found: list[tuple[int, str, str]] = []
    seen: set[int] = set()
    alive = work.state.columns.alive
    for strategy in work.plan.strategies:
        everything = retrieved(strategy, work.query, work.state, lambda rows: alive[rows], BREADTH)
        best = everything.items[np.argsort(-everything.scores, kind="stable")]
        for row in best[~work.allow(best)][:REMOVED_SHOWN].tolist():
            why = work.allow.why_not(row)
            if row not in seen and why is not None:
                found.append((row, strategy.name, why))
                seen.add(row)
    return found


def _note(work: Work, name: str, rows: IntArray) -> None:
    if work.explain:
        work.steps.append(Step(name, rows))
