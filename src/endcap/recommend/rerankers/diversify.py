"""Spreads products that are alike over the slate.

Maximal marginal relevance (Carbonell and Goldstein 1998), with likeness read from the catalogue.
"""

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray
from endcap.recommend.keys import keys_of
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Ranked, Reranker

WINDOW = 4
LIKENESS = (("brand", 0.4), ("category", 0.6))


class Diversify(Reranker, frozen=True, kw_only=True):
    """Each slot takes the best of `score / best - strength * likeness to what stands before it`.

    Likeness is 0.4 for the same brand plus 0.6 for the same category, of the products before it
    the highest, and half as much per slot between. `strength` 0 changes nothing.
    """

    strength: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 10:
            raise ValueError("strength must be 0 to 10")

    def arrange(self, ranked: Ranked, query: Query, state: State) -> IntArray:
        """All places; the first `count` slots are chosen one by one from four times as many."""
        window = min(len(ranked.rows), WINDOW * query.count)
        if window < 3 or not self.strength:
            return np.arange(len(ranked.rows), dtype=np.int32)
        scores = ranked.scores[:window]
        value = scores / scores.max() if scores.max() > 0 else np.zeros(window)
        keys = [
            (keys_of(by, ranked.rows[:window], state.columns), weight) for by, weight in LIKENESS
        ]
        chosen = self._chosen(value, keys, min(query.count, window))
        rest = np.setdiff1d(np.arange(len(ranked.rows)), chosen, assume_unique=True)
        return np.concatenate([chosen, rest]).astype(np.int32)

    def _chosen(
        self, value: FloatArray, keys: list[tuple[IntArray, float]], count: int
    ) -> list[int]:
        likeness = np.zeros(len(value))
        free = np.ones(len(value), np.bool_)
        chosen: list[int] = []
        for _ in range(count):
            gain = np.where(free, value - self.strength * likeness, -np.inf)
            best = int(np.argmax(gain))
            chosen.append(best)
            free[best] = False
            same = np.zeros(len(value))
            for numbers, weight in keys:
                if numbers[best]:
                    same += weight * (numbers == numbers[best])
            likeness = np.maximum(likeness / 2, same)
        return chosen
