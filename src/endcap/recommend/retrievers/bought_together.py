"""Goes with what is in the basket: bought in the same orders, the whole cart taken as a set."""

from typing import Any, Literal

import numpy as np

from endcap.catalog.arrays import FloatArray
from endcap.core.answer import Reason
from endcap.recommend.likeness import share_category
from endcap.recommend.query import Query, State
from endcap.recommend.related import MAX_ANCHORS, pair_reason
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever
from endcap.relations.joined import Partners


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
        if not any(len(part.items) for part in parts):
            return NOTHING
        ages = 1.0 / np.arange(1, len(parts) + 1) if dated else np.ones(len(parts))
        # One product's own ranking needs no help: lift would only favour its rare partners.
        if len(parts) > 1:
            scores = [_by_lift(state, part) * age for part, age in zip(parts, ages, strict=True)]
        else:
            scores = [parts[0].scores]
        joined = Partners(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        values = np.concatenate(scores)
        best = np.argsort(-values, kind="stable")
        items, first, inverse = np.unique(
            joined.items[best], return_index=True, return_inverse=True
        )
        sums = np.bincount(inverse, values[best], len(items)).astype(np.float64)
        sums[share_category(state.columns, items, anchors)] *= self.same_category
        evidence: dict[str, Any] = {
            "place": joined.place[best][first],
            "seed": joined.seed[best][first],
            "goes_with": np.bincount(inverse, minlength=len(items)),
        }
        keep = allow(items)
        return Found(items[keep], sums[keep], {k: v[keep] for k, v in evidence.items()})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """In how many orders it was bought with the product it goes with best."""
        sentence = "Bought together with {seed} in {pairs} orders"
        reason = pair_reason("bought_together", sentence, state, evidence, place)
        reason.counts["goes_with"] = int(evidence["goes_with"][place])
        return reason


def _by_lift(state: State, part: Partners) -> FloatArray:
    lift = state.joined.evidence("bought_together", "lift", part.place)
    weighted: FloatArray = part.scores * np.log2(1.0 + lift)
    return weighted
