"""What the relation-based retrievers share: partners of the anchors, cut by the request's mask."""

from typing import Any

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
    if keep.all():
        evidence = {"place": partners.place, "seed": partners.seed}
        return Found(partners.items, partners.scores, evidence)
    return Found(
        partners.items[keep],
        partners.scores[keep],
        {"place": partners.place[keep], "seed": partners.seed[keep]},
    )


def pair_reason(
    name: str, sentence: str, state: State, evidence: dict[str, Any], place: int, code: str = ""
) -> Reason:
    """A reason from the counts of the relation `name`; its code is that name if none is given.

    `sentence` takes `{pairs}` and `{seed}`.
    """
    relation = state.joined.relation(name)
    code = code or name
    seed = int(evidence["seed"][place])
    at = int(evidence["place"][place])
    if relation is None:
        return Reason(code, sentence.format(pairs="some", seed=state.cards.title(seed)))
    pairs = int(relation.evidence["pairs"][at])
    counts: dict[str, int | float | str] = {
        "seed": state.columns.ids[seed],
        "pairs": pairs,
        "seed_total": int(relation.totals[state.joined.product(seed)]),
        "total": int(relation.totals[int(relation.partner[at])]),
        "units": relation.units,
        "lift": round(float(relation.evidence["lift"][at]), 3),
        "llr": round(float(relation.evidence["llr"][at]), 3),
    }
    text = sentence.format(pairs=f"{pairs:,}", seed=state.cards.title(seed))
    return Reason(code, text, counts=counts)
