"""Like the seed by attributes: rare attributes in common weigh most, and a close price."""

from typing import Any, Literal

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.related import related
from endcap.recommend.stages import Allow, Found, Retriever


class Similar(Retriever, frozen=True, kw_only=True):
    """Likeness from the catalogue alone, so it works before the first order."""

    around: Literal["auto", "seed", "cart", "viewed", "bought"] = "auto"

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Every allowed partner, scored by the likeness of the build kernel, 0 to 1."""
        return related("similar", self.around, query, state, allow)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many attributes are shared, and how close the prices are."""
        return self.reasons(state, evidence, [place])[0]

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several."""
        relation = state.joined.relation("similar")
        ids, title = state.columns.ids, state.cards.title
        reasons: list[Reason] = []
        for place in places:
            seed, at = evidence["seed"].item(place), evidence["place"].item(place)
            counts: dict[str, int | float | str] = {"seed": ids[seed]}
            if relation is not None:
                counts["shared"] = relation.evidence["shared"].item(at)
                counts["closeness"] = round(relation.evidence["closeness"].item(at), 3)
            reasons.append(Reason("similar", f"Similar to {title(seed)}", counts=counts))
        return reasons
