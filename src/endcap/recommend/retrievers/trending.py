"""Wanted more than usual: growth of recent visitors against the product's own baseline."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.core.times import DAY, HOUR
from endcap.recommend.query import Query, State
from endcap.recommend.scan import first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Trending(Retriever, frozen=True, kw_only=True):
    """At least five visitors lately and half as many again as usual; `growth` asks for more."""

    growth: float = 1.5

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The allowed products whose visitors grew most; none while there is no baseline yet."""
        trends = state.joined.trends
        rows = first_allowed(trends.ranked(state.counters, query.now), allow, want)
        measured = trends.measured(rows, state.counters, query.now)
        kept = np.flatnonzero(measured.growth >= self.growth)
        if not len(kept):
            return NOTHING
        rows = rows[kept]
        evidence = {
            "row": rows,
            "recent": measured.recent[kept],
            "usual": measured.usual[kept],
            "growth": measured.growth[kept],
        }
        return Found(rows, measured.growth[kept] - 1.0, evidence)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """The visitors of the recent stretch beside those of the baseline."""
        trends = state.joined.trends
        growth = float(evidence["growth"][place])
        hours = trends.stretch // HOUR
        counts: dict[str, int | float | str] = {
            "recent": round(float(evidence["recent"][place])),
            "recent_hours": hours,
            "baseline": trends.baseline(int(evidence["row"][place])),
            "baseline_days": trends.stretches * trends.stretch // DAY,
            "usual": round(float(evidence["usual"][place]), 2),
            "growth": round(growth, 2),
        }
        stretch = f"{hours} hours" if hours <= 48 else f"{hours // 24} days"
        text = f"Trending: {counts['recent']:,} visitors in {stretch}, usually {_plain(counts)}"
        return Reason("trending", text, counts=counts)


def _plain(counts: dict[str, int | float | str]) -> str:
    usual = float(counts["usual"])
    return f"{usual:,.0f}" if usual >= 1 else "less than 1"
