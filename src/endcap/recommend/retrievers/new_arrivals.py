"""The products that joined the catalogue last; fills a slate before anything is known."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.scan import NewestFirst, first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class NewArrivals(Retriever, frozen=True, kw_only=True):
    """Catalogue rows are numbered as they come, so the last rows are the newest."""

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The newest `want` allowed products."""
        rows = first_allowed(NewestFirst(len(state.columns)), allow, want)
        if not len(rows):
            return NOTHING
        return Found(rows, 1.0 / np.arange(1, len(rows) + 1), {})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """New in the shop."""
        return Reason("new_arrival", "New in the shop")
