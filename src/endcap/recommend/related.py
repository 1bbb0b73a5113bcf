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
    """Reasons from the counts of a relation, read for all places at once."""
    relation = state.joined.relation(told.relation)
    seeds = evidence["seed"][places]
    ids, title = state.columns.ids, state.cards.title
    if relation is None:
        return [
            Reason(told.code, told.sentence.format(pairs="some", seed=title(seed)))
            for seed in seeds.tolist()
        ]
    at = evidence["place"][places]
    columns = (
        seeds.tolist(),
        relation.evidence["pairs"][at].tolist(),
        relation.totals[state.joined.products(seeds)].tolist(),
        relation.totals[relation.partner[at]].tolist(),
        relation.evidence["lift"][at].tolist(),
        relation.evidence["llr"][at].tolist(),
    )
    units = relation.units
    return [
        Reason(
            told.code,
            told.sentence.format(pairs=f"{pairs:,}", seed=title(seed)),
            counts={
                "seed": ids[seed],
                "pairs": pairs,
                "seed_total": seed_total,
                "total": total,
                "units": units,
                "lift": round(lift, 3),
                "llr": round(llr, 3),
            },
        )
        for seed, pairs, seed_total, total, lift, llr in zip(*columns, strict=True)
    ]
