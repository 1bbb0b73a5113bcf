"""What strategies ask of products beside one another: the same category, prices in a band."""

import numpy as np

from endcap.catalog.arrays import BoolArray, FloatArray, IntArray
from endcap.catalog.columns import Columns
from endcap.core.money import from_minor

from .query import Query, State


def share_category(columns: Columns, rows: IntArray, others: IntArray) -> BoolArray:
    """Which rows have a category in common with any of `others`, the same node of the tree."""
    own = columns.categories[rows]
    found = np.zeros(own.shape, np.bool_)
    for code in {*columns.categories[others].ravel().tolist()} - {0}:
        found |= own == code
    shared: BoolArray = np.any(found, axis=1)
    return shared


def price_ratio(query: Query, state: State, rows: IntArray, seed: int) -> FloatArray:
    """Price over the seed's, in the request's zone; NaN where one is missing or the currency
    differs."""
    columns = state.columns
    own = float(columns.price_in(np.array([seed], np.int32), query.zone)[0])
    prices = columns.price_in(rows, query.zone).astype(np.float64)
    known = (prices > 0) & (own > 0) & (columns.currency[rows] == columns.currency[seed])
    ratio = np.full(len(rows), np.nan)
    ratio[known] = prices[known] / own
    return ratio


def money(columns: Columns, row: int, minor: int) -> str:
    """An amount in the product's currency, for a text: `12.50 EUR`."""
    currency = columns.names.names[columns.currency[row]]
    return f"{from_minor(minor, currency)} {currency}".strip()
