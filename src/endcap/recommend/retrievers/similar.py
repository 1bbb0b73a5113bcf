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
        seeds, at = evidence["seed"][places], evidence["place"][places]
        ids, title = state.columns.ids, state.cards.title
        if relation is None:
            return [
                Reason("similar", f"Similar to {title(seed)}", counts={"seed": ids[seed]})
                for seed in seeds.tolist()
            ]
        shared = relation.evidence["shared"][at].tolist()
        closeness = relation.evidence["closeness"][at].tolist()
        return [
            Reason(
                "similar",
                f"Similar to {title(seed)}",
                counts={"seed": ids[seed], "shared": many, "closeness": round(close, 3)},
            )
            for seed, many, close in zip(seeds.tolist(), shared, closeness, strict=True)
        ]
