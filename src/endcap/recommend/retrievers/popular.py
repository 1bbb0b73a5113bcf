"""Best sellers of a window: of the shop, of a category with all below it, in a zone or segment."""

from typing import Any, Literal

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray, LongArray
from endcap.core.answer import Reason
from endcap.recommend.best_sellers import NOBODY, Best, audiences, buyers_in, everyones, of_audience
from endcap.recommend.kept import KeptReasons
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Popular(Retriever, frozen=True, kw_only=True):
    """Distinct buyers count most, then carts, then viewers, up to the last second.

    `within` narrows to a category: `request` takes the request's, `seed` the first seed's own;
    `any` looks at the whole shop. `among` counts only the request's shipping zone, or customers of
    the visitor's segment: a ready one or the shop's own, of several the first by name that builds
    have counted. Where too few were counted, everyone's best sellers follow; where nothing was,
    the reason says `instead_of` what.
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
        asked = audiences(self.among, query)
        for name in asked:
            found = of_audience(name, self.window, category, query, state, allow)
            if len(found.rows):
                own = Best(found.rows[:want], found.scores[:want])
                audience = name
                break
        rest = everyones(self.window, category, query, state, allow, want)
        if not len(own.rows):
            missed = asked[0] if asked else ""
            return self._found(rest, np.zeros(len(rest.rows), np.bool_), missed, query)
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
        return self.reasons(state, evidence, [place])[0]

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several."""
        rows, own = evidence["row"][places], evidence["own"][places]
        window, audience = evidence["window"], evidence["audience"]
        buyers = _buyers(state, window, rows, "", evidence["now"])
        if own.any():
            theirs = _buyers(state, window, rows, audience, evidence["now"])
            buyers = np.where(own, theirs, buyers)
        # Where nothing of the audience was found, everyone's stand in for it.
        missed = "" if evidence["own"].any() else audience
        kept = state.kept(KeptReasons)
        reasons: list[Reason] = []
        for row, many, of in zip(rows.tolist(), buyers.tolist(), own.tolist(), strict=True):
            whose = audience if of else ""
            key = (f"popular {window} {whose}/{missed}", row)
            reason = kept.find(key, many)
            if reason is None:
                reason = kept.keep(key, many, _reason(state, window, row, whose, missed, many))
            reasons.append(reason)
        return reasons

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


def _buyers(state: State, window: str, rows: IntArray, audience: str, now: int) -> LongArray:
    """Buyers in the window: those the snapshot counted, and those since."""
    joined, (kind, _, name) = state.joined, audience.partition(":")
    products = joined.products_or_none(rows)
    popularity = joined.popularity(window)
    buyers = np.zeros(len(rows), np.int64)
    if audience:
        counted = [buyers_in(audience, window, product, state) for product in products.tolist()]
        buyers += np.array(counted, np.int64)
    elif popularity is not None and len(popularity.buyers):
        buyers += np.where(products >= 0, popularity.buyers[products], 0)
    # What was bought since the build is in the live counts only.
    if window != "365d" and kind != "segment":
        zone = name if kind == "zone" else None
        fresh = joined.fresh.visitors(rows, state.counters, now, "sales", zone)
        buyers += np.rint(fresh).astype(np.int64)
    return buyers


def _reason(state: State, window: str, row: int, audience: str, missed: str, buyers: int) -> Reason:
    popularity, product = state.joined.popularity(window), state.joined.product(row)
    counts: dict[str, int | float | str] = {"buyers": buyers, "window": window}
    whose = ""
    kind, _, name = audience.partition(":")
    if audience:
        counts["audience"] = audience
        whose = f" in {name}" if kind == "zone" else f" of your kind ({name})"
    else:
        orders = int(popularity.orders[product]) if popularity and product >= 0 else 0
        counts["orders"] = max(orders, buyers)
        if missed:
            counts["instead_of"] = missed
    days = window.removesuffix("d")
    text = f"{buyers:,} customers{whose} bought this in the last {days} days"
    if not buyers:
        viewers = int(popularity.viewers[product]) if popularity and product >= 0 else 0
        counts["viewers"] = viewers
        seen = f"{viewers:,} customers looked at this in the last {days} days"
        text = seen if viewers and not audience else "Popular in the shop"
    return Reason("popular", text, counts=counts)
