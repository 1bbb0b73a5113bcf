"""Removes what is in the visitor's cart already."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class NotInCart(Filter, frozen=True, kw_only=True):
    """The cart named in the request, or else the one known from events."""

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that are not in the cart."""
        if not len(query.cart):
            return np.ones(len(rows), np.bool_)
        return np.isin(rows, query.cart, invert=True)

    def explain(self, row: int, query: Query, state: State) -> str:
        """It is in the cart."""
        return "it is in the cart"
