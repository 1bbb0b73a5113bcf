"""Products of the offers made to this visitor: for their segment, the season and the zone."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.offers import choose, said
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Promoted(Retriever, frozen=True, kw_only=True):
    """Offers by priority, each with its products in their order; see `/v1/offers`."""

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The products that may be shown; the answer carries the offers beside them."""
        found: dict[int, str] = {}
        for name, active in choose(query, state).made:
            for row in state.columns.rows(active.offer.products).tolist():
                found.setdefault(row, name)
        rows = np.array(list(found), np.int32)
        places = np.flatnonzero(allow(rows))[:want] if len(rows) else rows
        if not len(places):
            return NOTHING
        names = np.array(list(found.values()))
        scores = 1.0 / np.arange(1, len(places) + 1)
        return Found(rows[places], scores, {"offer": names[places]})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """The offer, and its discount."""
        name = str(evidence["offer"][place])
        counts: dict[str, int | float | str] = {"offer": name}
        active = state.merchant.offers.get(name)
        if active is None:
            return Reason("promoted", "On offer", counts=counts)
        discount = said(active.offer)
        if discount is not None:
            counts["discount"] = discount
        return Reason("promoted", active.offer.title or "On offer", counts=counts)
