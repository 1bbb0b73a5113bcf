"""Any product that may be shown: the year's best sellers first, then the newest."""

from typing import Any

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.scan import first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Everything(Retriever, frozen=True, kw_only=True):
    """The last resort of a narrow filter: it looks through the whole catalogue."""

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The first `want` allowed products, scored 1, 1/2, 1/3 …"""
        best = first_allowed(state.joined.ranked("365d", query.category), allow, want)
        rows = best
        if len(best) < want:

            def others(stretch: IntArray) -> BoolArray:
                return allow(stretch) & ~np.isin(stretch, best)

            newest = first_allowed(state.columns.newest_first(), others, want - len(best))
            rows = np.concatenate([best, newest])
        if not len(rows):
            return NOTHING
        return Found(rows, 1.0 / np.arange(1, len(rows) + 1), {})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """It passes."""
        return Reason("matching", "Matches what you are looking for")
