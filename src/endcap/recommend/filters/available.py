"""Removes what cannot be sold now and here: out of stock, not in the zone, outside its dates."""

from typing import ClassVar

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.core.product import AVAILABILITIES
from endcap.core.times import format_time
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter

DISCONTINUED = 1 + AVAILABILITIES.index("discontinued")


class Available(Filter, frozen=True, kw_only=True):
    """In stock (or on pre-order or back-order) in the zone, and within its dates.

    `stock` false lets in what is out of stock but still sold in the zone.
    """

    standing: ClassVar[bool] = True

    stock: bool = True

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that can be sold at the request's time in its zone."""
        columns = state.columns
        if self.stock:
            mask = columns.sellable_in(rows, query.zone)
        else:
            mask = columns.alive[rows] & ~self._barred(rows, query, state)
        if columns.dated:
            mask &= columns.available_from[rows] <= query.now
            mask &= columns.available_until[rows] > query.now
        return mask

    def _barred(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        barred: BoolArray = state.columns.availability[rows] == DISCONTINUED
        overlay = state.columns.zones.find(query.zone)
        if overlay is not None:
            here, there = overlay.places(rows)
            barred[here] |= ~overlay.eligible[there]
        return barred

    def explain(self, row: int, query: Query, state: State) -> str:
        """The stock or the date in the way."""
        columns = state.columns
        overlay = columns.zones.find(query.zone)
        place = None if overlay is None else overlay.place(row)
        if overlay is not None and place is not None and not overlay.sellable[place]:
            if not overlay.eligible[place]:
                return f"it is not sold in zone {query.zone}"
            if overlay.stock[place] == 0:
                return f"stock in zone {query.zone} is 0"
        if not columns.sellable_in(np.array([row], np.int32), query.zone)[0]:
            product = columns.product(row)
            stock = "not counted" if product.stock is None else product.stock
            return f"availability is {product.availability}, stock {stock}"
        if columns.available_from[row] > query.now:
            return f"available from {format_time(int(columns.available_from[row]))}"
        return f"was available until {format_time(int(columns.available_until[row]))}"
