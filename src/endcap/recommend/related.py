"""What the relation-based retrievers share: partners of the anchors, cut by the request's mask."""

from typing import Any, NamedTuple

import numpy as np

from endcap.core.answer import Reason

from .kept import kept_reasons
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
    """Reasons from the counts of a relation. They are shared: nobody may change their counts."""
    rows = evidence["seed"][places]
    kept, sentence = kept_reasons(state), told.sentence
    reasons: list[Reason] = []
    for seed, at, version in zip(
        rows.tolist(),
        evidence["place"][places].tolist(),
        state.columns.version[rows].tolist(),
        strict=True,
    ):
        key = (sentence, at)
        reason = kept.find(key, version)
        if reason is None:
            reason = kept.keep(key, version, _pair_reason(told, state, seed, at))
        reasons.append(reason)
    return reasons


def _pair_reason(told: Told, state: State, seed: int, at: int) -> Reason:
    relation = state.joined.relation(told.relation)
    if relation is None:
        text = told.sentence.format(pairs="some", seed=state.cards.title(seed))
        return Reason(told.code, text)
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
    text = told.sentence.format(pairs=f"{pairs:,}", seed=state.cards.title(seed))
    return Reason(told.code, text, counts=counts)
