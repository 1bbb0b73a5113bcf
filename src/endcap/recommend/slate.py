"""From picks to the items of the answer: reasons, badges and product fields, for the slate only."""

import msgspec

from endcap.core.answer import Item, Reason

from .pipeline import Pick
from .query import State


def make_items(picks: list[Pick], state: State, fields: tuple[str, ...] | None) -> list[Item]:
    """Items in slate order, positions from 1."""
    ids = state.columns.ids
    cards = state.cards
    return [
        Item(
            id=ids[pick.row],
            position=position,
            score=pick.score,
            rung=pick.rung,
            reasons=_reasons(pick, state),
            badges=[],
            product=cards.card(pick.row).json if fields is None else cards.picked(pick.row, fields),
        )
        for position, pick in enumerate(picks, 1)
    ]


def _reasons(pick: Pick, state: State) -> list[Reason]:
    reasons: list[Reason] = []
    for strategy, found, place, share in pick.shares:
        reason = strategy.retriever.reason(state, found.evidence, place)
        reasons.append(msgspec.structs.replace(reason, strategy=strategy.name, share=share))
    return reasons
