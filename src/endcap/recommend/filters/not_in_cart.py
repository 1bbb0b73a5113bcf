"""Removes what is in the visitor's cart already."""

from endcap.catalog.arrays import BoolArray, IntArray, absent
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class NotInCart(Filter, frozen=True, kw_only=True):
    """The cart named in the request, or else the one known from events."""

    def removed(self, query: Query) -> IntArray:
        """Those rows."""
        return query.cart

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that are not in the cart."""
        return absent(rows, query.cart)

    def explain(self, row: int, query: Query, state: State) -> str:
        """It is in the cart."""
        return "it is in the cart"
