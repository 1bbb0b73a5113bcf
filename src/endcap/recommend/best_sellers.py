"""Best sellers as of now: the snapshot's ranking with the live counts folded in, or an audience's.

Live counts decay, so that of two products with as many buyers in the window the one with the newer
ones leads, and a purchase of a second ago counts.
"""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, FloatArray, IntArray, distinct
from endcap.catalog.ranking import best_first
from endcap.relations.counters import LIFETIMES
from endcap.relations.decayed import step_of

from .query import Query, State
from .scan import first_allowed
from .stages import Allow

# The windows that live counters have; a year is counted by builds only.
LIVE = ("1d", "7d", "30d")
# More of one audience are not looked at; everyone's best sellers follow.
MOST = 200
# So many are made ready for all requests between two events, for so many windows and categories.
MOST_READY = 400
MAX_READY = 500


class Best(NamedTuple):
    """Rows with falling scores."""

    rows: IntArray
    scores: FloatArray


NOBODY = Best(NO_ITEMS, np.empty(0))


def everyones(
    window: str, category: str | None, query: Query, state: State, allow: Allow, want: int
) -> Best:
    """The best sellers among all visitors, in the category if there is one."""
    if window in LIVE:
        best = _ready(window, category, query.now, state)
        places = np.flatnonzero(allow(best.rows))[:want]
        if len(places) == want:
            return Best(best.rows[places], best.scores[places])
    counted = first_allowed(state.joined.ranked(window, category), allow, want)
    if window in LIVE:
        live = state.counters.ranked(window, query.now)
        if len(live):
            first = first_allowed(live, _in_category(allow, category, state), want)
            rows = distinct(counted, first)
            return _sorted(rows, state.counters.scores(rows, window, query.now), state, want)
    popularity = state.joined.popularity(window)
    if popularity is None or not len(counted):
        return NOBODY
    return Best(counted, popularity.score[state.joined.products(counted)].astype(np.float64))


class Ready(NamedTuple):
    """The first best sellers for anybody, and what they hold for.

    `made_from` is the counters' step, how many events they know, and for a category how often the
    catalogue has changed.
    """

    made_from: tuple[int, int, int]
    best: Best


class ReadyBest(OrderedDict[tuple[str, str | None], Ready]):
    """Those made last, by window and category."""


def _ready(window: str, category: str | None, now: int, state: State) -> Best:
    """The first of everyone's best sellers, whoever may see them; made anew after an event.

    Nobody for a moment after one, until the counters' order knows of it.
    """
    kept = state.kept(ReadyBest)
    counters, key = state.counters, (window, category)
    changes = 0 if category is None else state.columns.changes.count
    made_from = (step_of(now, LIFETIMES[window]), counters.folded, changes)
    ready: Ready | None = kept.get(key)
    if ready is None or ready.made_from != made_from:
        ranked = counters.ranked(window, now)
        if not counters.settled(window):
            return NOBODY
        within = _in_category(lambda rows: np.ones(len(rows), np.bool_), category, state)
        first = first_allowed(ranked, within, MOST_READY)
        best = _sorted(first, counters.scores(first, window, now), state, MOST_READY)
        ready = kept[key] = Ready(made_from, best)
        if len(kept) > MAX_READY:
            kept.popitem(last=False)
    return ready.best


def of_audience(
    name: str, window: str, category: str | None, query: Query, state: State, allow: Allow
) -> Best:
    """The best sellers of a shipping zone (`zone:NO`) or of a cohort (`segment:loyal`)."""
    fits = _in_category(allow, category, state)
    products, scores = counted_in(name, window, state)
    rows = state.joined.rows_of(products)
    known = np.flatnonzero(rows >= 0)
    known = known[fits(rows[known])][:MOST]
    kind, _, zone = name.partition(":")
    live = NO_ITEMS
    if kind == "zone" and window in LIVE:
        live = state.counters.ranked(window, query.now, zone=zone)
    if not len(live):
        return Best(rows[known], scores[known])
    both = distinct(rows[known], first_allowed(live, fits, MOST))
    return _sorted(both, state.counters.scores(both, window, query.now, zone), state, MOST)


def counted_in(name: str, window: str, state: State) -> tuple[IntArray, FloatArray]:
    """The snapshot's products of an audience, best first, with their scores."""
    table, number = state.joined.table(f"audience.{window}"), state.joined.audience(name)
    if table is None or number is None:
        return NO_ITEMS, np.empty(0)
    begin, end = table["offsets"][number : number + 2].tolist()
    return table["product"][begin:end], table["score"][begin:end].astype(np.float64)


def buyers_in(name: str, window: str, product: int, state: State) -> int:
    """How many of an audience bought a product in the window, as the snapshot counted."""
    table, number = state.joined.table(f"audience.{window}"), state.joined.audience(name)
    if table is None or number is None:
        return 0
    begin, end = table["offsets"][number : number + 2].tolist()
    places = np.flatnonzero(table["product"][begin:end] == product)
    return int(table["buyers"][begin + int(places[0])]) if len(places) else 0


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


def _sorted(rows: IntArray, scores: FloatArray, state: State, want: int) -> Best:
    order = best_first(rows, scores, state.columns.ids)[:want]
    order = order[scores[order] > 0]
    return Best(rows[order], scores[order])
