"""Bought by the same visitors as the seed, within a stretch of time."""

from typing import Any, Literal

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.related import Told, pair_reasons, related
from endcap.recommend.stages import Allow, Found, Retriever

_TOLD = Told("also_bought", "{pairs} customers who bought {seed} also bought this", "also_bought")


class AlsoBought(Retriever, frozen=True, kw_only=True):
    """Pairs counted per visitor; `around` says which products to start from."""

    around: Literal["auto", "seed", "cart", "viewed", "bought"] = "auto"

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Every allowed partner, scored by shrunken confidence (see the build kernel)."""
        return related("also_bought", self.around, query, state, allow)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many visitors bought both."""
        return self.reasons(state, evidence, [place])[0]

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several."""
        return pair_reasons(_TOLD, state, evidence, places)
