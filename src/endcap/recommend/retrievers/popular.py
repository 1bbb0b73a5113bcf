"""Best sellers of a window: of the shop, of a category with all below it, in a zone or segment."""

from typing import Any, Literal

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.audience import Audience, audience_of
from endcap.recommend.query import Query, State
from endcap.recommend.scan import first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Popular(Retriever, frozen=True, kw_only=True):
    """Distinct buyers count most, then carts, then viewers.

    `within` narrows to a category: `request` takes the request's, `seed` the first seed's own;
    `any` looks at the whole shop. `among` counts only the request's shipping zone, or customers of
    the visitor's segment (new, loyal, lapsed, big_spender); where too few were counted, everyone's
    best sellers follow.
    """

    window: Literal["1d", "7d", "30d", "365d"] = "30d"
    within: Literal["any", "request", "seed"] = "request"
    among: Literal["everyone", "zone", "segment"] = "zone"

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The first `want` allowed products of the ranking."""
        category = self._category(query, state)
        if self.within == "seed" and category is None:
            return NOTHING
        audience = audience_of(self.among, self.window, query, state)
        own = NOTHING if audience is None else _of_audience(audience, category, state, allow, want)
        ranked = state.joined.ranked(self.window, category)
        rows = first_allowed(ranked, allow, want)
        rows = rows[~np.isin(rows, own.items)][: want - len(own.items)]
        counts = state.joined.popularity(self.window)
        if counts is None or not len(rows) + len(own.items):
            return NOTHING
        products = state.joined.products(rows)
        scores = counts.score[products].astype(np.float64)
        if len(own.items) and len(rows):
            # Everyone's come after the audience's own, in their order.
            scores *= 0.5 * own.scores.min() / max(scores.max(), 1e-12)
        return Found(
            np.concatenate([own.items, rows]),
            np.concatenate([own.scores, scores]),
            {
                "product": np.concatenate([own.evidence.get("product", []), products]).astype(int),
                "at": np.concatenate([own.evidence.get("at", []), np.full(len(rows), -1)]),
                "window": self.window,
                "audience": audience.name if audience else "",
            },
        )

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many visitors bought it in the window."""
        window, at = evidence["window"], int(evidence["at"][place])
        table = state.joined.popularity(window)
        index = int(evidence["product"][place])
        whose = ""
        if at >= 0 and (own := state.joined.table(f"audience.{window}")) is not None:
            buyers, orders, index = int(own["buyers"][at]), int(own["orders"][at]), -1
            kind, _, name = evidence["audience"].partition(":")
            whose = f" in {name}" if kind == "zone" else f" of your kind ({name})"
        elif table is not None:
            buyers, orders = int(table.buyers[index]), int(table.orders[index])
        else:
            buyers = orders = 0
        counts: dict[str, int | float | str] = {
            "buyers": buyers,
            "orders": orders,
            "window": window,
        }
        if whose:
            counts["audience"] = evidence["audience"]
        days = window.removesuffix("d")
        text = f"{buyers:,} customers{whose} bought this in the last {days} days"
        return Reason("popular", text, counts=counts)

    def _category(self, query: Query, state: State) -> str | None:
        if self.within == "request":
            return query.category
        if self.within == "seed" and len(query.seeds):
            first = int(state.columns.categories[query.seeds[0], 0])
            return state.columns.tree.symbols.names[first] or None
        return None


def _of_audience(
    audience: Audience, category: str | None, state: State, allow: Allow, want: int
) -> Found:
    rows = audience.rows
    keep = (rows >= 0) & allow(np.maximum(rows, 0))
    if category is not None:
        keep &= state.columns.in_category(np.maximum(rows, 0), category)
    places = np.flatnonzero(keep)[:want]
    if not len(places):
        return NOTHING
    rows = rows[places]
    evidence = {"product": state.joined.products(rows), "at": places + audience.begin}
    return Found(rows, audience.scores[places], evidence)
