"""Keeps what costs about as much as the seed."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.recommend.likeness import money, price_ratio
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class PriceBand(Filter, frozen=True, kw_only=True):
    """At least `low` and at most `high` times the price of the first seed, in the zone.

    A product without a price, or in another currency, is removed; without a seed nothing is.
    """

    low: float = 0.5
    high: float = 2.0

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows within the band."""
        if not len(query.seeds):
            return np.ones(len(rows), np.bool_)
        ratio = price_ratio(query, state, rows, int(query.seeds[0]))
        within: BoolArray = (ratio >= self.low) & (ratio <= self.high)
        return within

    def explain(self, row: int, query: Query, state: State) -> str:
        """Its price and the seed's."""
        seed = int(query.seeds[0])
        pair = np.array([row, seed], np.int32)
        own, about = state.columns.price_in(pair, query.zone).tolist()
        if own < 0 or about < 0:
            return "it or the seed has no price"
        prices = f"{money(state.columns, row, own)}, the seed {money(state.columns, seed, about)}"
        return f"it costs {prices}; wanted {self.low:g} to {self.high:g} times that"
