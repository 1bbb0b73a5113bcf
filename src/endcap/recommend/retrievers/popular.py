"""Best sellers of a window: of the shop, of a category with all below it, in a zone or segment."""

from typing import Any, Literal

import numpy as np

from endcap.catalog.arrays import BoolArray, FloatArray
from endcap.core.answer import Reason
from endcap.recommend.best_sellers import NOBODY, Best, audiences, buyers_in, everyones, of_audience
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Popular(Retriever, frozen=True, kw_only=True):
    """Distinct buyers count most, then carts, then viewers, up to the last second.

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
        own, audience = NOBODY, ""
        for name in audiences(self.among, query):
            found = of_audience(name, self.window, category, query, state, allow)
            if len(found.rows):
                own = Best(found.rows[:want], found.scores[:want])
                audience = name
                break
        rest = everyones(self.window, category, query, state, allow, want)
        if not len(own.rows):
            return self._found(rest, np.zeros(len(rest.rows), np.bool_), "", query)
        more = np.flatnonzero(~np.isin(rest.rows, own.rows))[: want - len(own.rows)]
        scores = rest.scores[more]
        if len(more):
            # Everyone's come after the audience's own, in their order.
            scores = scores * 0.5 * own.scores.min() / max(scores.max(), 1e-12)
        both = Best(
            np.concatenate([own.rows, rest.rows[more]]),
            np.concatenate([own.scores, scores]),
        )
        return self._found(both, np.arange(len(both.rows)) < len(own.rows), audience, query)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many visitors bought it in the window."""
        window, own = evidence["window"], bool(evidence["own"][place])
        row, audience = int(evidence["row"][place]), evidence["audience"]
        buyers, orders = _counted(state, window, row, audience if own else "")
        kind, _, name = audience.partition(":")
        # What was bought since the build is in the live counts only.
        zone = name if own and kind == "zone" else None
        if window != "365d" and not (own and kind == "segment"):
            buyers += round(float(_fresh(state, evidence, zone)[place]))
        counts: dict[str, int | float | str] = {
            "buyers": buyers,
            "window": window,
        }
        whose = ""
        if not own:
            counts["orders"] = max(orders, buyers)
        else:
            counts["audience"] = audience
            whose = f" in {name}" if kind == "zone" else f" of your kind ({name})"
        days = window.removesuffix("d")
        text = f"{buyers:,} customers{whose} bought this in the last {days} days"
        if not buyers:
            popularity, product = state.joined.popularity(window), state.joined.product(row)
            viewers = int(popularity.viewers[product]) if popularity and product >= 0 else 0
            counts["viewers"] = viewers
            seen = f"{viewers:,} customers looked at this in the last {days} days"
            text = seen if viewers and not own else "Popular in the shop"
        return Reason("popular", text, counts=counts)

    def _found(self, best: Best, own: BoolArray, audience: str, query: Query) -> Found:
        if not len(best.rows):
            return NOTHING
        about = {"window": self.window, "audience": audience, "now": query.now}
        return Found(best.rows, best.scores, {"row": best.rows, "own": own, **about})

    def _category(self, query: Query, state: State) -> str | None:
        if self.within == "request":
            return query.category
        if self.within == "seed" and len(query.seeds):
            first = int(state.columns.categories[query.seeds[0], 0])
            return state.columns.tree.symbols.names[first] or None
        return None


def _fresh(state: State, evidence: dict[str, Any], zone: str | None) -> FloatArray:
    """Buyers since the build, of all rows found at once: a slate asks for several of them."""
    made: dict[str | None, FloatArray] = evidence.setdefault("fresh", {})
    if zone not in made:
        fresh = state.joined.fresh
        made[zone] = fresh.visitors(evidence["row"], state.counters, evidence["now"], "sales", zone)
    return made[zone]


def _counted(state: State, window: str, row: int, audience: str) -> tuple[int, int]:
    """Buyers and orders as the snapshot counted them; of an audience only the buyers."""
    popularity, product = state.joined.popularity(window), state.joined.product(row)
    if audience:
        return buyers_in(audience, window, product, state), 0
    if popularity is None or product < 0:
        return 0, 0
    return int(popularity.buyers[product]), int(popularity.orders[product])
