"""The products that joined the catalogue, or went on sale, last."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.core.times import DAY
from endcap.recommend.query import Query, State
from endcap.recommend.scan import first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class NewArrivals(Retriever, frozen=True, kw_only=True):
    """Newest first. `days` leaves out what came earlier; 0 goes back to the first product."""

    days: int = 0

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The newest `want` allowed products."""
        columns = state.columns
        newest = columns.newest_first()
        if self.days:
            oldest = query.now - self.days * DAY
            newest = newest[: int(np.searchsorted(-columns.arrived_at[newest], -oldest, "right"))]
        rows = first_allowed(newest, allow, want)
        if not len(rows):
            return NOTHING
        age = (query.now - columns.arrived_at[rows]) // DAY
        return Found(rows, 1.0 / np.arange(1, len(rows) + 1), {"days": age})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many days ago it came."""
        days = max(0, int(evidence["days"][place]))
        since = "today" if not days else "1 day ago" if days == 1 else f"{days:,} days ago"
        return Reason("new_arrival", f"New in the shop: came {since}", counts={"days": days})
