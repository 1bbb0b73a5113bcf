"""Goes with what is in the basket: bought in the same orders, the whole cart taken as a set."""

from typing import Any, Literal

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray, LongArray
from endcap.core.answer import Reason
from endcap.recommend.likeness import share_category
from endcap.recommend.query import Query, State
from endcap.recommend.related import MAX_ANCHORS, Told, pair_reasons
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever
from endcap.relations.partners import Partners, added_up, stacked

_TOLD = Told("bought_together", "Bought together with {seed} in {pairs} orders", "bought_together")


class BoughtTogether(Retriever, frozen=True, kw_only=True):
    """Pairs counted per basket; `around` says which products to start from.

    Of several products the scores, each times log2(1 + lift), are added, so that what goes with
    the whole cart comes before what goes with one product of it; one product's scores are taken as
    they are. A product of a category that is in the cart counts `same_category` of that: another
    category complements, the same competes.
    """

    around: Literal["auto", "seed", "cart", "viewed", "bought", "owned"] = "auto"
    same_category: float = 0.5

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Every allowed partner of the set."""
        anchors, dated = query.anchors(self.around)
        anchors = anchors[:MAX_ANCHORS]
        parts = [state.joined.pairs("bought_together", seed) for seed in anchors.tolist()]
        ages = [1.0 / (1 + place) if dated else 1.0 for place in range(len(parts))]
        held = [(part, age) for part, age in zip(parts, ages, strict=True) if len(part.items)]
        if not held:
            return NOTHING
        if len(parts) == 1:
            # One product's own ranking needs no help: lift would only favour its rare partners.
            pairs = found = held[0][0]
        else:
            scores = [_by_lift(state, part) * age for part, age in held]
            pairs = stacked([part for part, _ in held], scores)
            found = added_up(pairs)
        keep = allow(found.items)
        if not keep.any():
            return NOTHING
        items, sums = found.items[keep], found.scores[keep]
        sums[share_category(state.columns, items, anchors)] *= self.same_category
        evidence: dict[str, Any] = {
            "place": found.place[keep],
            "seed": found.seed[keep],
            "goes_with": _goes_with(items, pairs.items),
        }
        return Found(items, sums, evidence)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """In how many orders it was bought with the product it goes with best."""
        return self.reasons(state, evidence, [place])[0]

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several."""
        reasons = pair_reasons(_TOLD, state, evidence, places)
        times = evidence["goes_with"][places].tolist()
        for reason, many in zip(reasons, times, strict=True):
            reason.counts["goes_with"] = many
        return reasons


def _goes_with(items: IntArray, pairs: IntArray) -> LongArray:
    """In how many of the pairs each item is."""
    in_order = np.sort(pairs)
    ends = np.searchsorted(in_order, items, "right")
    times: LongArray = ends - np.searchsorted(in_order, items, "left")
    return times


def _by_lift(state: State, part: Partners) -> FloatArray:
    lift = state.joined.evidence("bought_together", "lift", part.place)
    weighted: FloatArray = part.scores * np.log2(1.0 + lift)
    return weighted
