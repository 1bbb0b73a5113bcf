"""Bought and clicked after the search term of the request."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.core.terms import normalised
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Searched(Retriever, frozen=True, kw_only=True):
    """Terms are compared in their normal form: case, accents written two ways and punctuation do
    not matter. `minimum` visitors must have gone to a product."""

    minimum: int = 1

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Purchases count most, then carts, then clicks."""
        term = normalised(query.search) if query.search else ""
        number = state.joined.term(term) if term else None
        table = state.joined.table("searched")
        if number is None or table is None:
            return NOTHING
        begin, end = table["offsets"][number : number + 2].tolist()
        rows = state.joined.rows_of(table["product"][begin:end])
        visitors = sum(table[name][begin:end] for name in ("clicks", "carts", "purchases"))
        places = np.flatnonzero((rows >= 0) & (visitors >= self.minimum))
        places = places[allow(rows[places])]
        if not len(places):
            return NOTHING
        scores = table["score"][begin:end][places].astype(np.float64)
        return Found(rows[places], scores, {"place": places + begin, "term": number})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many went to it after this search."""
        table = state.joined.table("searched")
        assert table is not None
        at = int(evidence["place"][place])
        counts = {name: int(table[name][at]) for name in ("clicks", "carts", "purchases")}
        bought = counts["purchases"]
        did = f"{bought:,} bought" if bought else f"{counts['clicks']:,} looked at"
        text = f"{did} this after the same search"
        return Reason("searched", text, counts={**counts})
