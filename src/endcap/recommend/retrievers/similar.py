"""Like the seed by attributes: rare attributes in common weigh most, and a close price."""

from typing import Any, Literal

from endcap.core.answer import Reason
from endcap.recommend.kept import kept_reasons
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
        rows = evidence["seed"][places]
        kept = kept_reasons(state)
        reasons: list[Reason] = []
        for seed, at, version in zip(
            rows.tolist(),
            evidence["place"][places].tolist(),
            state.columns.version[rows].tolist(),
            strict=True,
        ):
            reason = kept.find(("similar", at), version)
            if reason is None:
                reason = kept.keep(("similar", at), version, _reason(state, seed, at))
            reasons.append(reason)
        return reasons


def _reason(state: State, seed: int, at: int) -> Reason:
    relation = state.joined.relation("similar")
    counts: dict[str, int | float | str] = {"seed": state.columns.ids[seed]}
    if relation is not None:
        counts["shared"] = int(relation.evidence["shared"][at])
        counts["closeness"] = round(float(relation.evidence["closeness"][at]), 3)
    return Reason("similar", f"Similar to {state.cards.title(seed)}", counts=counts)
