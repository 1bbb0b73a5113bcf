"""What a regular customer puts in the basket next: what they buy, and what people like them buy."""

from typing import Any

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray
from endcap.core.answer import Reason
from endcap.recommend.query import KIND, Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever
from endcap.relations.session_tail import visitor_code


class NextBasket(Retriever, frozen=True, kw_only=True):
    """The TIFU-kNN (Hu et al. 2020) and UP-CF (Faggioli et al. 2020) family, counted.

    own(i) = sum over the visitor's baskets with i of basket_decay ^ (baskets since). Neighbours are
    the `neighbours` customers nearest by cosine over own * idf ^ rarity, of the newest customers
    of each of the `last` heaviest products. score(i) = a * own(i) + (1 - a) * the neighbours' mean
    weight of i. The part `a` is `own_share`, or when that is 0 counted: 0.1 where up to a quarter
    of a last basket had been bought before, up to 0.5 in a straight line through 0.3 at a half.
    """

    basket_decay: float = 0.9
    neighbours: int = 300
    last: int = 100
    rarity: float = 0.5
    own_share: float = 0.0

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The allowed products of the visitor and of the neighbours, at most `want`."""
        rows, own, times = self._own(query)
        index = state.joined.customers
        if not len(rows) or index is None:
            return NOTHING
        part = self.own_share or min(0.5, max(0.1, 0.1 + 0.8 * (index.repeat_share - 0.25)))
        numbers = state.joined.numbers(rows)
        known = np.flatnonzero(numbers >= 0)
        heaviest = known[np.argsort(-own[known], kind="stable")][: self.last]
        code = visitor_code(query.visitor) if query.visitor else 0
        alike = index.alike(numbers[heaviest], own[heaviest], self.neighbours, self.rarity, code)
        near = state.joined.rows(alike.products)
        items, inverse = np.unique(np.concatenate([rows, near]), return_inverse=True)
        mine = inverse[: len(rows)]
        columns = np.zeros((3, len(items)))
        columns[0, mine], columns[1, mine] = part * own, times
        np.add.at(columns[0], inverse[len(rows) :], (1.0 - part) * alike.weights)
        np.add.at(columns[2], inverse[len(rows) :], alike.buyers)
        scores, bought, buyers = columns
        places = np.flatnonzero(items >= 0)
        places = places[allow(items[places])]
        places = places[np.argsort(-scores[places], kind="stable")][:want]
        evidence = {"times": bought[places], "buyers": buyers[places], "alike": alike.customers}
        return Found(items[places], scores[places], evidence)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How often the visitor bought it, or how many who buy alike did."""
        times, buyers = int(evidence["times"][place]), int(evidence["buyers"][place])
        counts: dict[str, int | float | str] = {
            "times_bought": times,
            "buyers": buyers,
            "alike": int(evidence["alike"]),
        }
        text = f"{buyers:,} of {counts['alike']:,} customers who buy what you buy bought this"
        if times:
            text = f"You bought this in {times:,} order{'s' if times > 1 else ''}"
        return Reason("next_basket", text, counts=counts)

    def _own(self, query: Query) -> tuple[IntArray, FloatArray, FloatArray]:
        """Products bought, their decayed frequency, and in how many baskets each was."""
        trail = query.trail
        bought = trail.kinds == KIND["purchase"]
        rows, times = trail.rows[bought], trail.times[bought]
        if not len(rows):
            return rows, np.empty(0), np.empty(0)
        # The lines of an order have one time; a product counts once per order.
        moments, basket = np.unique(-times, return_inverse=True)
        pairs = np.unique(rows.astype(np.int64) * len(moments) + basket)
        products, inverse = np.unique(pairs // len(moments), return_inverse=True)
        weights = self.basket_decay ** (pairs % len(moments))
        own = np.bincount(inverse, weights).astype(np.float64)
        return products.astype(np.int32), own, np.bincount(inverse).astype(np.float64)
