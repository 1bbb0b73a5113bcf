"""Removes what the visitor ever bought, as far back as is known."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class NotOwned(Filter, frozen=True, kw_only=True):
    """For things one buys once; `not_bought` lets a product come back after 30 days."""

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that were never bought."""
        if not len(query.owned):
            return np.ones(len(rows), np.bool_)
        return np.isin(rows, query.owned, invert=True)

    def explain(self, row: int, query: Query, state: State) -> str:
        """It was bought before."""
        return "the visitor bought it before"
