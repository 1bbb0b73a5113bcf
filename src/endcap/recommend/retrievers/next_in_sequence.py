"""What visitors went on to after the products of the current session, in the order of clicks."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.session import recent, shares
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever
from endcap.relations.transitions import Transitions


class NextInSequence(Retriever, frozen=True, kw_only=True):
    """Ordered co-occurrence with decay by distance (see `build.transitions`), `hops` steps on.

    score(i) = sum over the session's `last` products of exp(-lag / lag_decay) * P[product, i],
    with P the transitions `next`; with two hops the square of the transitions `near`, of which
    each product keeps the best `best`. Two hops join products that no session holds together,
    which says most in a catalogue with few clicks per product. The list of the best `keep` is made
    to sum to 1.
    """

    hops: int = 1
    last: int = 10
    lag_decay: float = 1.3
    best: int = 200
    keep: int = 120

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The best `keep` products that follow."""
        table = state.joined.transitions("next" if self.hops == 1 else "near")
        if table is None or not len(query.session):
            return NOTHING
        seen, lags = recent(query.session, self.last)
        numbers = state.joined.numbers(seen)
        lists = [
            self._after(table, number, float(np.exp(-lag / self.lag_decay)))
            for number, lag in zip(numbers.tolist(), lags.tolist(), strict=True)
            if number >= 0
        ]
        if not lists:
            return NOTHING
        together = np.concatenate([partners for partners, _ in lists])
        products, inverse = np.unique(together, return_inverse=True)
        weights = np.concatenate([weights for _, weights in lists])
        scores = np.bincount(inverse, weights, len(products)).astype(np.float64)
        rows = state.joined.rows(products)
        known = np.flatnonzero(rows >= 0)
        places, scores = shares(rows[known], scores[known], allow, max(want, self.keep))
        if not len(places):
            return NOTHING
        places = known[places]
        evidence = {"product": products[places], "seen": seen, "numbers": numbers}
        return Found(rows[places], scores, evidence)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """After which product of the session visitors went on to this, and how often."""
        table = state.joined.transitions("next")
        partner = int(evidence["product"][place])
        pairs = zip(evidence["seen"].tolist(), evidence["numbers"].tolist(), strict=True)
        for row, number in pairs:
            times = table.between(number, partner) if table is not None and number >= 0 else 0
            if times:
                title = state.cards.title(row)
                text = f"After {title}, visitors went on to this {times:,} times"
                if times == 1:
                    text = f"After {title}, a visitor went on to this"
                return Reason(
                    "next_in_sequence",
                    text,
                    counts={"seed": state.columns.ids[row], "times": times},
                )
        first = int(evidence["seen"][0])
        text = f"Often looked at on the way on from {state.cards.title(first)}"
        return Reason(
            "next_in_sequence", text, counts={"seed": state.columns.ids[first], "hops": self.hops}
        )

    def _after(self, table: Transitions, number: int, weight: float) -> tuple[Any, Any]:
        step = table.step(number) if self.hops == 1 else table.two_steps(number, self.best)
        return step[0], step[1] * weight
