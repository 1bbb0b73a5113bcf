"""At most so many products of one brand, category or group in a slate."""

from typing import Literal

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.recommend.keys import keys_of
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Ranked, Reranker


class Cap(Reranker, frozen=True, kw_only=True):
    """The best `at_most` of each value stay; a product without a value is not counted.

    What is over the cap is left out, and the slate filled from below and by fallback rungs; with
    `strict` false it goes to the end instead.
    """

    by: Literal["brand", "category", "group"] = "brand"
    at_most: int = 2
    strict: bool = True

    def __post_init__(self) -> None:
        if self.at_most < 1:
            raise ValueError("at_most must be 1 or more")

    def arrange(self, ranked: Ranked, query: Query, state: State) -> IntArray:
        """Places whose value has not been seen `at_most` times before."""
        keys = keys_of(self.by, ranked.rows, state.columns)
        order = np.argsort(keys, kind="stable")
        in_order = keys[order]
        first = np.searchsorted(in_order, in_order, side="left")
        nth = np.empty(len(keys), np.int64)
        nth[order] = np.arange(len(keys)) - first
        within = (nth < self.at_most) | (keys == 0)
        kept = np.flatnonzero(within)
        if not self.strict:
            kept = np.concatenate([kept, np.flatnonzero(~within)])
        return kept.astype(np.int32)
