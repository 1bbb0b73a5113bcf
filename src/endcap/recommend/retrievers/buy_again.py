"""Due to be bought again: the usual time between two purchases has about passed."""

from typing import Any

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.core.answer import Reason
from endcap.core.times import DAY
from endcap.recommend.query import KIND, Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever

OWN, PRODUCT, CATEGORY = 3, 1, 2
_SAYS = {OWN: "you buy it", PRODUCT: "people buy it again", CATEGORY: "people buy such again"}


class BuyAgain(Retriever, frozen=True, kw_only=True):
    """The time comes from the visitor's own three purchases or more, else it is the median of the
    product's customers, else of its category. `early` and `late` are parts of it."""

    early: float = 0.8
    late: float = 3.0

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """What is due now, the closest to its time first."""
        rows = query.owned[allow(query.owned)]
        if not len(rows):
            return NOTHING
        days = [_days_of(query, row) for row in rows.tolist()]
        interval, intervals, basis = _intervals(state, rows, days)
        since = np.array([(query.now - own[-1] * DAY) / DAY for own in days])
        ratio = since / np.maximum(interval, 1e-9)
        due = (interval > 0) & (ratio >= self.early) & (ratio <= self.late)
        if not due.any():
            return NOTHING
        times = np.array([len(own) for own in days])
        scores = np.exp(-np.abs(np.log(ratio[due]))) * np.log2(1.0 + times[due])
        evidence = {"since": since, "interval": interval, "intervals": intervals, "basis": basis}
        found = {name: values[due] for name, values in evidence.items()}
        return Found(rows[due], scores, found | {"times": times[due]})

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How long ago it was bought, and after how long it is bought again."""
        since, interval = int(evidence["since"][place]), float(evidence["interval"][place])
        basis = int(evidence["basis"][place])
        counts: dict[str, int | float | str] = {
            "days_since": since,
            "interval_days": round(interval, 1),
            "intervals": int(evidence["intervals"][place]),
            "basis": {OWN: "visitor", PRODUCT: "product", CATEGORY: "category"}[basis],
            "times_bought": int(evidence["times"][place]),
        }
        text = f"Bought {since} days ago; {_SAYS[basis]} after about {interval:.0f} days"
        return Reason("buy_again", text, counts=counts)


def _days_of(query: Query, row: int) -> list[float]:
    """The days (since 1970, with their part) of the visitor's purchases of a row, oldest first,
    one per calendar day."""
    trail = query.trail
    bought = (trail.rows == row) & (trail.kinds == KIND["purchase"])
    moments = np.sort(trail.times[bought])
    _, first = np.unique(moments // DAY, return_index=True)
    return [moment / DAY for moment in moments[first].tolist()] or [query.now / DAY]


def _intervals(
    state: State, rows: IntArray, days: list[list[float]]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Days between purchases, how many pairs they rest on, and whose they are."""
    interval, intervals = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    basis = np.zeros(len(rows), np.int64)
    table = state.joined.table("repurchase")
    if table is not None:
        products = state.joined.products_or_none(rows)
        known = products >= 0
        interval[known] = table["days"][products[known]]
        intervals[known] = table["intervals"][products[known]]
        basis[known] = table["basis"][products[known]]
    for place, own in enumerate(days):
        if len(own) >= 3:
            gaps = np.diff(own)
            interval[place], intervals[place] = float(np.median(gaps)), len(gaps)
            basis[place] = OWN
    return interval, intervals, basis
