"""At most so many products of one brand, category, group or attribute value in a slate."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.recommend.keys import ATTRIBUTE, KEYS, keys_of
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Ranked, Reranker


class Cap(Reranker, frozen=True, kw_only=True):
    """The best `at_most` of each value stay; a product without a value is not counted.

    What is over the cap is left out, and the slate filled from below and by fallback rungs; with
    `strict` false it goes to the end instead. `by` may be `attributes.colour`, or any other name.
    """

    by: str = "brand"
    at_most: int = 2
    strict: bool = True

    def __post_init__(self) -> None:
        if self.by not in KEYS and not self.by.startswith(ATTRIBUTE):
            raise ValueError(f"by must be {', '.join(KEYS)} or {ATTRIBUTE}NAME")
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
