"""Lets products sink that this visitor was shown often and did not click."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.core.times import DAY
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Ranked, Reranker


class Rotate(Reranker, frozen=True, kw_only=True):
    """Orders by `score / (1 + strength * shown)`.

    `shown` counts the impressions since the visitor last clicked the product; each halves in
    `half_life_days`, so a product recovers.
    """

    strength: float = 0.2
    half_life_days: float = 1.0

    def __post_init__(self) -> None:
        if self.strength < 0 or self.half_life_days <= 0:
            raise ValueError("strength must be 0 or more, half_life_days above 0")

    def arrange(self, ranked: Ranked, query: Query, state: State) -> IntArray:
        """All places, in their new order."""
        shown = query.shown
        if not len(shown.rows):
            return np.arange(len(ranked.rows), dtype=np.int32)
        age = np.maximum(0, query.now - shown.times) / (self.half_life_days * DAY)
        rows, at = np.unique(shown.rows, return_inverse=True)
        counts = np.bincount(at, np.exp2(-age), len(rows))
        places = np.minimum(np.searchsorted(rows, ranked.rows), len(rows) - 1)
        times = np.where(rows[places] == ranked.rows, counts[places], 0.0)
        order = np.argsort(-ranked.scores / (1 + self.strength * times), kind="stable")
        return order.astype(np.int32)
