"""Best sellers of a window, in the whole shop or in a category with everything below it."""

from typing import Any, Literal

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.scan import first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Popular(Retriever, frozen=True, kw_only=True):
    """Distinct buyers count most, then carts, then viewers.

    `within` narrows to a category: `request` takes the request's, `seed` the first seed's own;
    `any` looks at the whole shop.
    """

    window: Literal["1d", "7d", "30d", "365d"] = "30d"
    within: Literal["any", "request", "seed"] = "request"

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The first `want` allowed products of the ranking."""
        category = self._category(query, state)
        if self.within == "seed" and category is None:
            return NOTHING
        rows = first_allowed(state.joined.ranked(self.window, category), allow, want)
        counts = state.joined.popularity(self.window)
        if counts is None or not len(rows):
            return NOTHING
        products = state.joined.products(rows)
        scores = counts.score[products].astype(np.float64)
        return Found(rows, scores, {"product": products, "window": self.window})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many visitors bought it in the window."""
        window = evidence["window"]
        counts = state.joined.popularity(window)
        product = int(evidence["product"][place])
        buyers = int(counts.buyers[product]) if counts else 0
        orders = int(counts.orders[product]) if counts else 0
        days = window.removesuffix("d")
        text = f"{buyers:,} customers bought this in the last {days} days"
        return Reason(
            "popular", text, counts={"buyers": buyers, "orders": orders, "window": window}
        )

    def _category(self, query: Query, state: State) -> str | None:
        if self.within == "request":
            return query.category
        if self.within == "seed" and len(query.seeds):
            first = int(state.columns.categories[query.seeds[0], 0])
            return state.columns.tree.symbols.names[first] or None
        return None
