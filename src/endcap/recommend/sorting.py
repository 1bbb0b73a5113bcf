"""Orders a shopper may ask for instead of relevance."""

from collections.abc import Callable

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray
from endcap.catalog.fields import CatalogFields

from .query import Query, State

RELEVANCE = "relevance"
POPULARITY_WINDOW = "30d"
Key = Callable[[IntArray, Query, State], FloatArray]


def sorted_places(rows: IntArray, query: Query, state: State) -> IntArray:
    """Places of the rows in the order the request asks for; relevance leaves them as they are.

    A product without the value comes last; ties break by product id.
    """
    key = SORTS.get(query.sort or RELEVANCE)
    if key is None or not len(rows):
        return np.arange(len(rows), dtype=np.int32)
    values = key(rows, query, state)
    ids = state.columns.ids
    places = list(zip(np.isnan(values).tolist(), values.tolist(), rows.tolist(), strict=True))
    order = sorted(
        range(len(places)),
        key=lambda at: (places[at][0], 0.0 if places[at][0] else places[at][1], ids[places[at][2]]),
    )
    return np.array(order, np.int32)


def _popularity(rows: IntArray, query: Query, state: State) -> FloatArray:
    counts = state.joined.popularity(POPULARITY_WINDOW)
    if counts is None:
        return np.full(len(rows), np.nan)
    numbers = state.joined.products_or_none(rows)
    scores = counts.score[np.maximum(numbers, 0)].astype(np.float64)
    return np.where(numbers < 0, np.nan, -scores)


def _price(rows: IntArray, query: Query, state: State) -> FloatArray:
    return CatalogFields(state.columns, query.now, query.zone).price(rows)


def _dearest(rows: IntArray, query: Query, state: State) -> FloatArray:
    return -_price(rows, query, state)


def _rating(rows: IntArray, query: Query, state: State) -> FloatArray:
    best: FloatArray = -state.columns.rating[rows]
    return best


def _newest(rows: IntArray, query: Query, state: State) -> FloatArray:
    arrived = state.columns.arrived_at[rows].astype(np.float64)
    return np.where(arrived > 0, -arrived, np.nan)


def _discount(rows: IntArray, query: Query, state: State) -> FloatArray:
    return -CatalogFields(state.columns, query.now, query.zone).discount(rows)


SORTS: dict[str, Key | None] = {
    RELEVANCE: None,
    "popularity": _popularity,
    "price": _price,
    "-price": _dearest,
    "rating": _rating,
    "newest": _newest,
    "discount": _discount,
}
"""What `sort` may be; None keeps the order of the scores."""
