"""Shows one variant of a group: the best placed one."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Ranked, Reranker


class OnePerGroup(Reranker, frozen=True, kw_only=True):
    """Products without a group are all kept."""

    def arrange(self, ranked: Ranked, query: Query, state: State) -> IntArray:
        """Places of the first row of each group, in the order they stand."""
        groups = state.columns.group[ranked.rows]
        _, first = np.unique(groups, return_index=True)
        kept = np.zeros(len(groups), np.bool_)
        kept[first] = True
        kept |= groups == 0
        return np.flatnonzero(kept).astype(np.int32)
