"""What the relation-based retrievers share: partners of the anchors, cut by the request's mask."""

from typing import Any, NamedTuple

import numpy as np

from endcap.core.answer import Reason

from .query import Query, State
from .stages import NOTHING, Allow, Found

# More anchors than this add cost and little else; the newest or first named are kept.
MAX_ANCHORS = 10


def related(relation: str, around: str, query: Query, state: State, allow: Allow) -> Found:
    """Partners of the query's anchors in a relation, with the place of each pair as evidence.

    Later anchors count less (1, 1/2, 1/3 …) when they come from the visitor's history, whose
    order is newest first.
    """
    anchors, dated = query.anchors(around)
    if not len(anchors):
        return NOTHING
    anchors = anchors[:MAX_ANCHORS]
    weights = 1.0 / np.arange(1, len(anchors) + 1) if dated else None
    partners = state.joined.partners(relation, anchors, weights)
    keep = allow(partners.items)
    if not keep.all():
        partners = partners.taken(keep)
    return Found(partners.items, partners.scores, {"place": partners.place, "seed": partners.seed})


class Told(NamedTuple):
    """What is said of the pairs of a relation: its name, the sentence, and the reason's code.

    The sentence takes `{pairs}` and `{seed}`.
    """

    relation: str
    sentence: str
    code: str


def pair_reasons(
    told: Told, state: State, evidence: dict[str, Any], places: list[int]
) -> list[Reason]:
    """Reasons from the counts of a relation."""
    relation = state.joined.relation(told.relation)
    ids, title = state.columns.ids, state.cards.title
    # A slate has few reasons of a kind; for those, single values cost less than arrays of them.
    seed_at, pair_at = evidence["seed"].item, evidence["place"].item
    if relation is None:
        texts = [told.sentence.format(pairs="some", seed=title(seed_at(at))) for at in places]
        return [Reason(told.code, text) for text in texts]
    total, partner, product = relation.totals.item, relation.partner.item, state.joined.product
    pairs_at, lift_at, llr_at = (relation.evidence[c].item for c in ("pairs", "lift", "llr"))
    reasons: list[Reason] = []
    for place in places:
        seed, at = seed_at(place), pair_at(place)
        pairs = pairs_at(at)
        counts: dict[str, int | float | str] = {
            "seed": ids[seed],
            "pairs": pairs,
            "seed_total": total(product(seed)),
            "total": total(partner(at)),
            "units": relation.units,
            "lift": round(lift_at(at), 3),
            "llr": round(llr_at(at), 3),
        }
        text = told.sentence.format(pairs=f"{pairs:,}", seed=title(seed))
        reasons.append(Reason(told.code, text, counts=counts))
    return reasons
