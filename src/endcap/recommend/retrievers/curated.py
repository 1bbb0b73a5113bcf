"""A list made by hand, in its order."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Curated(Retriever, frozen=True, kw_only=True):
    """`list` names one of the shop's lists; a list that does not exist shows nothing."""

    list: str = "featured"

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The products of the list that may be shown."""
        chosen = state.merchant.lists.get(self.list)
        if chosen is None:
            return NOTHING
        rows = state.columns.rows(dict.fromkeys(chosen.products))
        places = np.flatnonzero(allow(rows))
        if not len(places):
            return NOTHING
        names = np.full(len(places), self.list)
        return Found(
            rows[places], 1.0 / (1.0 + places.astype(np.float64)), {"place": places, "list": names}
        )

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """The list and the place in it."""
        name = str(evidence["list"][place])
        chosen = state.merchant.lists.get(name)
        title = (chosen.title if chosen else "") or name
        counts: dict[str, int | float | str] = {
            "list": name,
            "place": int(evidence["place"][place]) + 1,
        }
        return Reason("curated", f"Picked by the shop: {title}", counts=counts)
