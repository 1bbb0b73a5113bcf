"""Best sellers as of now: the snapshot's ranking with the live counts folded in, or an audience's.

Live counts decay, so that of two products with as many buyers in the window the one with the newer
ones leads, and a purchase of a second ago counts.
"""

from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, FloatArray, IntArray

from .query import Query, State
from .scan import first_allowed
from .stages import Allow

# The windows that live counters have; a year is counted by builds only.
LIVE = ("1d", "7d", "30d")


class Best(NamedTuple):
    """Rows with falling scores, and where the snapshot counted them for the audience (-1: not)."""

    rows: IntArray
    scores: FloatArray
    at: IntArray


NOBODY = Best(NO_ITEMS, np.empty(0), NO_ITEMS)


def everyones(
    window: str, category: str | None, query: Query, state: State, allow: Allow, want: int
) -> Best:
    """The best sellers among all visitors, in the category if there is one."""
    counted = first_allowed(state.joined.ranked(window, category), allow, want)
    if window in LIVE:
        live = state.counters.ranked(window, query.now)
        if len(live):
            fits = _in_category(allow, category, state)
            rows = np.union1d(counted, first_allowed(live, fits, want)).astype(np.int32)
            return _sorted(rows, state.counters.rate(rows, window, query.now), want)
    popularity = state.joined.popularity(window)
    if popularity is None or not len(counted):
        return NOBODY
    scores = popularity.score[state.joined.products(counted)].astype(np.float64)
    return Best(counted, scores, np.full(len(counted), -1, np.int32))


def of_audience(
    name: str, window: str, category: str | None, query: Query, state: State, allow: Allow
) -> Best:
    """The best sellers of a shipping zone (`zone:NO`) or of a cohort (`segment:loyal`)."""
    table, number = state.joined.table(f"audience.{window}"), state.joined.audience(name)
    rows, scores, at = NO_ITEMS, np.empty(0), NO_ITEMS
    if table is not None and number is not None:
        begin, end = table["offsets"][number : number + 2].tolist()
        rows = state.joined.rows_of(table["product"][begin:end])
        scores = table["score"][begin:end].astype(np.float64)
        at = np.arange(begin, end, dtype=np.int32)
    kind, _, zone = name.partition(":")
    if kind == "zone" and window in LIVE and len(state.counters.ranked(window, query.now)):
        # The counters know the zone up to the last second; the snapshot's counts are for texts.
        live = state.counters.ranked(window, query.now, zone=zone)
        extra = live[~np.isin(live, rows)]
        rows = np.concatenate([rows, extra])
        at = np.concatenate([at, np.full(len(extra), -1, np.int32)])
        scores = state.counters.rate(np.maximum(rows, 0), window, query.now, zone=zone)
    fits = _in_category(allow, category, state)
    keep = (rows >= 0) & (scores > 0)
    keep[keep] &= fits(rows[keep])
    order = np.argsort(-scores[keep], kind="stable")
    return Best(rows[keep][order], scores[keep][order], at[keep][order])


def audiences(among: str, query: Query) -> list[str]:
    """The audiences a request belongs to."""
    if among == "zone" and query.zone is not None:
        return [f"zone:{query.zone}"]
    if among == "segment":
        return [f"segment:{segment}" for segment in sorted(query.traits.segments)]
    return []


def _in_category(allow: Allow, category: str | None, state: State) -> Allow:
    if category is None:
        return allow

    def fits(rows: IntArray) -> BoolArray:
        mask: BoolArray = allow(rows) & state.columns.in_category(rows, category)
        return mask

    return fits


def _sorted(rows: IntArray, scores: FloatArray, want: int) -> Best:
    order = np.lexsort((rows, -scores))[:want]
    return Best(rows[order], scores[order], np.full(len(order), -1, np.int32))
