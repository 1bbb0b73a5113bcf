"""Accessories: linked by hand first, then bought in the same orders from other categories."""

from typing import Any, Literal

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.core.answer import Reason
from endcap.recommend.likeness import share_category
from endcap.recommend.query import Query, State
from endcap.recommend.related import MAX_ANCHORS, Told, pair_reasons
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever

MANUAL = 2.0


class Complements(Retriever, frozen=True, kw_only=True):
    """What completes the seed, the cart, or with `around = "owned"` what the visitor has."""

    around: Literal["auto", "seed", "cart", "viewed", "bought", "owned"] = "auto"
    learnt: bool = True

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Links in their order, then learnt pairs whose categories have nothing in common."""
        anchors = query.anchors(self.around)[0][:MAX_ANCHORS]
        if not len(anchors):
            return NOTHING
        rows, seeds = _linked(state, anchors)
        if not len(rows) and not self.learnt:
            return NOTHING
        scores = MANUAL + 1.0 / np.arange(1, len(rows) + 1)
        places = np.full(len(rows), -1, np.int64)
        if self.learnt:
            pairs = state.joined.partners("bought_together", anchors)
            other = ~share_category(state.columns, pairs.items, anchors)
            other &= ~np.isin(pairs.items, rows)
            best = max(float(pairs.scores.max(initial=0.0)), 1e-12)
            rows = np.concatenate([rows, pairs.items[other]])
            seeds = np.concatenate([seeds, pairs.seed[other]])
            scores = np.concatenate([scores, pairs.scores[other] / best])
            places = np.concatenate([places, pairs.place[other]])
        keep = allow(rows)
        owned = np.full(int(keep.sum()), self.around == "owned")
        return Found(
            rows[keep], scores[keep], {"place": places[keep], "seed": seeds[keep], "owned": owned}
        )

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """The product it goes with, and in how many orders the two were together."""
        seed = int(evidence["seed"][place])
        yours = ", which you bought" if evidence["owned"][place] else ""
        if int(evidence["place"][place]) < 0:
            text = f"Made for {state.cards.title(seed)}{yours}"
            return Reason("accessory", text, counts={"seed": state.columns.ids[seed], "linked": 1})
        sentence = "Goes with {seed}" + yours + ": bought together in {pairs} orders"
        told = Told("bought_together", sentence, "complement")
        return pair_reasons(told, state, evidence, [place])[0]


def _linked(state: State, anchors: IntArray) -> tuple[IntArray, IntArray]:
    """Rows linked by hand to any of the anchors, and the anchor of each."""
    found: dict[int, int] = {}
    if not state.columns.links.accessories:
        return NO_ITEMS, NO_ITEMS
    for anchor in anchors.tolist():
        for row in state.columns.rows(state.columns.links.accessories.get(anchor, ())).tolist():
            found.setdefault(row, anchor)
    return np.array(list(found), np.int32), np.array(list(found.values()), np.int32)
