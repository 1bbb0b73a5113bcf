"""From picks to the items of the answer: reasons, badges and product fields, for the slate only."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.core.answer import Badge, Item, Reason
from endcap.core.rule import BadgeEffect

from .active_rule import ActiveRule
from .badges import product_badges
from .blend import Share
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


_NONE = Reason("", "")


def make_items(
    outcome: Outcome, query: Query, state: State, fields: tuple[str, ...] | None
) -> list[Item]:
    """Items in slate order, positions from 1."""
    picks = outcome.picks
    rows = np.array([pick.row for pick in picks], np.int32)
    badges = _badges(outcome, rows, query, state)
    reasons = _reasons(picks, state)
    _add_rules(reasons, picks, outcome.rules.factors_of(rows))
    ids = state.columns.ids
    if fields is None:
        products = state.cards.cards(rows, query.zone)
    else:
        products = [state.cards.picked(pick.row, fields, query.zone) for pick in picks]
    return [
        Item(ids[pick.row], position, pick.score, pick.rung, why, own, product)
        for position, (pick, why, own, product) in enumerate(
            zip(picks, reasons, badges, products, strict=True), 1
        )
    ]


def _reasons(picks: list[Pick], state: State) -> list[list[Reason]]:
    """What strategies say of each pick, the largest share first; each strategy is asked once."""
    reasons: list[list[Reason]] = [[] for _ in picks]
    asked: dict[int, tuple[Share, list[int], list[tuple[int, int, float]]]] = {}
    for number, pick in enumerate(picks):
        for order, share in enumerate(pick.shares):
            found = asked.get(id(share.found))
            if found is None:
                found = asked[id(share.found)] = (share, [], [])
            found[1].append(share.place)
            found[2].append((number, order, share.share))
        reasons[number] = [_NONE] * len(pick.shares)
    for (strategy, found_, _, _), places, slots in asked.values():
        told = strategy.retriever.reasons(state, found_.evidence, places)
        name = strategy.name
        for reason, (number, order, part) in zip(told, slots, strict=True):
            reasons[number][order] = Reason(reason.code, reason.text, name, part, reason.counts)
    return reasons


def _add_rules(
    reasons: list[list[Reason]], picks: list[Pick], factors: list[list[tuple[ActiveRule, float]]]
) -> None:
    for own, pick, applied in zip(reasons, picks, factors, strict=True):
        if pick.moved_by is not None:
            code = "pinned" if pick.moved_by.effect.__struct_config__.tag == "pin" else "quota"
            own.insert(0, _of_rule(code, pick.moved_by, {}))
        for rule, factor in applied:
            own.append(_of_rule("boosted" if factor >= 1 else "buried", rule, {"factor": factor}))


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
