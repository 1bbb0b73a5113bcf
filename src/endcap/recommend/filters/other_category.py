"""Removes what has a category in common with the seed, or with the cart when there is no seed."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.recommend.likeness import share_category
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class OtherCategory(Filter, frozen=True, kw_only=True):
    """For slates that should add to a purchase, not compete with it."""

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows whose categories are all others."""
        about = query.seeds if len(query.seeds) else query.cart
        if not len(about):
            return np.ones(len(rows), np.bool_)
        return ~share_category(state.columns, rows, about)

    def explain(self, row: int, query: Query, state: State) -> str:
        """The category in common."""
        columns = state.columns
        about = query.seeds if len(query.seeds) else query.cart
        shared = np.intersect1d(columns.categories[row], columns.categories[about])
        names = [columns.tree.symbols.names[code] for code in shared.tolist() if code]
        return f"it is in `{names[0]}` too" if names else "it shares a category"
