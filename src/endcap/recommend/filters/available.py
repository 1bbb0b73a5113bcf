"""Removes what cannot be sold now: out of stock, discontinued, or outside its dates."""

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.core.times import format_time
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class Available(Filter, frozen=True, kw_only=True):
    """In stock (or on pre-order or back-order) and within available_from and available_until."""

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that can be sold at the request's time."""
        columns = state.columns
        mask: BoolArray = columns.sellable[rows]
        mask &= columns.available_from[rows] <= query.now
        mask &= columns.available_until[rows] > query.now
        return mask

    def explain(self, row: int, query: Query, state: State) -> str:
        """The stock or the date in the way."""
        columns = state.columns
        if not columns.sellable[row]:
            product = columns.product(row)
            stock = "not counted" if product.stock is None else product.stock
            return f"availability is {product.availability}, stock {stock}"
        if columns.available_from[row] > query.now:
            return f"available from {format_time(int(columns.available_from[row]))}"
        return f"was available until {format_time(int(columns.available_until[row]))}"
