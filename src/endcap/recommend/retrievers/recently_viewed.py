"""What the visitor looked at lately, newest first, checked against the live catalogue."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class RecentlyViewed(Retriever, frozen=True, kw_only=True):
    """The product the request is about is left out, as everywhere."""

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Viewed products in their order; the score falls as 1, 1/2, 1/3 …"""
        if not len(query.viewed):
            return NOTHING
        rows = query.viewed[allow(query.viewed)][:want]
        ranks = np.arange(1, len(rows) + 1)
        return Found(rows, 1.0 / ranks, {"rank": ranks})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many other products were viewed after it."""
        rank = int(evidence["rank"][place])
        return Reason("recently_viewed", "You looked at this recently", counts={"rank": rank})
