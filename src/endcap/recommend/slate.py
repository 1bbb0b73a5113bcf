"""From picks to the items of the answer: reasons, badges and product fields, for the slate only."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.core.answer import Badge, Item, Reason
from endcap.core.rule import BadgeEffect

from .active_rule import ActiveRule
from .badges import product_badges
from .picks import Pick
from .pipeline import Outcome
from .query import Query, State

# What a shopper may read of a rule; staff read its name in the counts.
_SHOPPER_TEXT = {
    "boosted": "Recommended by the shop",
    "buried": "",
    "pinned": "Picked by the shop",
    "quota": "Picked by the shop",
}


def make_items(
    outcome: Outcome, query: Query, state: State, fields: tuple[str, ...] | None
) -> list[Item]:
    """Items in slate order, positions from 1."""
    picks = outcome.picks
    rows = np.array([pick.row for pick in picks], np.int32)
    factors = outcome.rules.factors_of(rows)
    badges = _badges(outcome, rows, query, state)
    ids = state.columns.ids
    cards = state.cards
    return [
        Item(
            id=ids[pick.row],
            position=position,
            score=pick.score,
            rung=pick.rung,
            reasons=_reasons(pick, state, applied),
            badges=own,
            product=cards.card(pick.row, query.zone).json
            if fields is None
            else cards.picked(pick.row, fields, query.zone),
        )
        for position, (pick, applied, own) in enumerate(zip(picks, factors, badges, strict=True), 1)
    ]


def _reasons(pick: Pick, state: State, applied: list[tuple[ActiveRule, float]]) -> list[Reason]:
    reasons: list[Reason] = []
    if pick.moved_by is not None:
        code = "pinned" if pick.moved_by.effect.__struct_config__.tag == "pin" else "quota"
        reasons.append(_of_rule(code, pick.moved_by, {}))
    for strategy, found, place, share in pick.shares:
        reason = strategy.retriever.reason(state, found.evidence, place)
        reasons.append(Reason(reason.code, reason.text, strategy.name, share, reason.counts))
    for rule, factor in applied:
        reasons.append(_of_rule("boosted" if factor >= 1 else "buried", rule, {"factor": factor}))
    return reasons


def _of_rule(code: str, rule: ActiveRule, counts: dict[str, int | float | str]) -> Reason:
    reason = rule.reasons.get(code)
    if reason is None:
        named = {"rule": rule.name, "version": rule.version, **counts}
        reason = rule.reasons[code] = Reason(code, _SHOPPER_TEXT[code], counts=named)
    return reason


def _badges(outcome: Outcome, rows: IntArray, query: Query, state: State) -> list[list[Badge]]:
    """The product's own badges, then those that rules give, per row."""
    badges = product_badges(rows, query, state)
    for own, rules in zip(badges, outcome.rules.badges_of(rows), strict=True):
        for rule in rules:
            effect = rule.effect
            assert isinstance(effect, BadgeEffect)
            own.append(Badge(effect.badge, effect.text))
    return badges
