"""The trace of a slate: enough to see each decision, and to work out every final score again.

`score = clip(product of factors, 1/cap, cap) * sum of shares`; a share is what `blend` and `scale`
make of the candidate's raw score: `weight * raw / best`, `weight * raw / sum`, `weight * raw`, or
`weight / (60 + rank)`.
"""

from typing import Any

import numpy as np

from endcap.core.times import format_time

from .active_rule import ActiveRule
from .blend import Listed, Share
from .picks import Pick
from .pipeline import Outcome
from .plan import Plan
from .query import Query, State

ORDER = (
    "eligibility",
    "candidates",
    "blend",
    "boost_and_bury",
    "sort",
    "rerankers",
    "quotas",
    "fallback",
    "pins",
    "badges_and_reasons",
)


def make_trace(outcome: Outcome, plan: Plan, query: Query, state: State) -> dict[str, Any]:
    """The trace as plain data."""
    rows = np.array([pick.row for pick in outcome.picks], np.int32)
    factors = outcome.rules.factors_of(rows)
    return {
        "order": list(ORDER),
        "blend": plan.blend,
        "boost_cap": plan.boost_cap,
        "inputs": _inputs(query, state),
        "strategies": [_listed(listed) for listed in outcome.lists],
        "rules": [_rule(rule) for rule in outcome.rules.active],
        "rungs": [{"rung": name, "added": added} for name, added in outcome.rungs],
        "items": [
            _item(pick, position, applied, outcome, state)
            for position, (pick, applied) in enumerate(zip(outcome.picks, factors, strict=True), 1)
        ],
        "removed": [
            {"id": state.columns.ids[row], "strategy": strategy, "by": why}
            for row, strategy, why in outcome.removed
        ],
    }


def recomputed(item: dict[str, Any], cap: float) -> float:
    """The final score of a trace's item, from what the trace says alone."""
    factor = 1.0
    for rule in item["factors"]:
        factor *= rule["factor"]
    shares: float = sum(share["share"] for share in item["shares"])
    return min(cap, max(1.0 / cap, factor)) * shares


def _inputs(query: Query, state: State) -> dict[str, Any]:
    ids = state.columns.ids
    named = {
        name: [ids[row] for row in getattr(query, name).tolist()]
        for name in ("seeds", "cart", "viewed", "bought", "session", "excluded", "taken")
    }
    return {
        "now": format_time(query.now),
        "count": query.count,
        **{name: found for name, found in named.items() if found},
        "category": query.category,
        "zone": query.zone,
        "device": query.device,
        "search": query.search,
        "sort": query.sort,
        "filters": [named.name for named in query.filters],
        "segments": sorted(query.traits.segments),
    }


def _listed(listed: Listed) -> dict[str, Any]:
    strategy, found, _ = listed
    return {
        "strategy": strategy.name,
        "weight": strategy.weight,
        "scale": strategy.scale,
        "candidates": len(found.items),
        "best": float(found.scores.max()),
        "sum": float(found.scores.sum()),
    }


def _rule(rule: ActiveRule) -> dict[str, Any]:
    effect = type(rule.effect).__struct_config__.tag
    return {
        "rule": rule.name,
        "version": rule.version,
        "effect": effect,
        "priority": rule.priority,
        "about": rule.about,
    }


def _item(
    pick: Pick,
    position: int,
    applied: list[tuple[ActiveRule, float]],
    outcome: Outcome,
    state: State,
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": state.columns.ids[pick.row],
        "position": position,
        "rung": pick.rung,
        "score": pick.score,
        "base": pick.base,
        "factor": pick.factor,
        "shares": [_share(share) for share in pick.shares],
        "factors": [
            {"rule": rule.name, "version": rule.version, "factor": factor}
            for rule, factor in applied
        ],
        "moves": _moves(pick, position, outcome),
        "staff": _staff(pick, applied),
    }
    if pick.moved_by is not None:
        item["moved_by"] = {"rule": pick.moved_by.name, "version": pick.moved_by.version}
    return item


def _share(share: Share) -> dict[str, Any]:
    return {
        "strategy": share.strategy.name,
        "share": share.share,
        "raw": float(share.found.scores[share.place]),
        "weight": share.strategy.weight,
    }


def _moves(pick: Pick, position: int, outcome: Outcome) -> list[dict[str, Any]]:
    """Where the product stood after each step; a step that left it in its place is left out."""
    moves: list[dict[str, Any]] = []
    before: int | None = None
    for name, rows in outcome.steps:
        places = np.flatnonzero(rows == pick.row)
        place = int(places[0]) + 1 if len(places) else None
        if place is not None and place != before:
            moves.append({"step": name, "from": before, "to": place})
            before = place
    if before != position:
        step = "pins" if pick.moved_by is not None else pick.rung
        moves.append({"step": step, "from": before, "to": position})
    return moves


def _staff(pick: Pick, applied: list[tuple[ActiveRule, float]]) -> str:
    """One sentence for staff: who proposed it, and which rules changed that."""
    if pick.shares:
        parts = ", ".join(f"{s.strategy.name} {s.share:.3f}" for s in pick.shares)
        text = f"{pick.rung}: {parts}"
    else:
        text = "not a candidate of any strategy"
    for rule, factor in applied:
        text += f"; x {factor:g} by {rule.label}"
    if pick.moved_by is not None:
        text += f"; put here by {pick.moved_by.label}"
    return text
