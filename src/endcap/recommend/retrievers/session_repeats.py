"""The session's own products, by how often visitors of this shop come back to one."""

from typing import Any

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.session import recent
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class SessionRepeats(Retriever, frozen=True, kw_only=True):
    """score(i) is a counted probability: of all clicks that had a product `lag` clicks before,
    the part that was on that same product. It adapts to each shop; `prior` clicks without return
    are added, so that a young shop does not jump to conclusions.
    """

    last: int = 20
    prior: float = 20.0

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The session's products, the newest first."""
        index = state.joined.sessions
        if index is None or not len(query.session):
            return NOTHING
        rows, lags = recent(query.session, min(self.last, len(index.repeat_hits)))
        counted = lags < len(index.repeat_hits)
        rows, lags = rows[counted], lags[counted]
        kept = allow(rows)
        rows, lags = rows[kept], lags[kept]
        hits, tries = index.repeat_hits[lags], index.repeat_tries[lags]
        return Found(rows, hits / (tries + self.prior), {"hits": hits, "tries": tries, "lag": lags})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How often visitors came back to a product after so many clicks."""
        counts = {name: int(evidence[name][place]) for name in ("hits", "tries", "lag")}
        per_thousand = round(1000 * counts["hits"] / max(1, counts["tries"]))
        text = f"You looked at this; {per_thousand} of 1,000 clicks go back to such a product"
        return Reason("session_repeats", text, counts=dict(counts))
