"""Bundles that hold a product, and what they save against buying the parts."""

from typing import NamedTuple

import numpy as np

from .query import Query, State


class Bundle(NamedTuple):
    """A bundle's row, what its parts cost singly and what it saves, in minor units."""

    row: int
    singly: int
    saving: int


def bundles(query: Query, state: State, seed: int) -> list[Bundle]:
    """The bundles with the seed in them that save something, the largest saving first.

    A bundle counts when each of its parts and itself has a price in one currency.
    """
    columns = state.columns
    found: list[Bundle] = []
    for row in columns.links.holding(columns.ids[seed]):
        members = columns.links.bundles[row]
        parts = columns.rows([member.id for member in members])
        if len(parts) < len(members):
            continue
        prices = columns.price_in(np.append(parts, row).astype(np.int32), query.zone)
        same = columns.currency[parts] == columns.currency[row]
        if (prices < 0).any() or not same.all():
            continue
        quantities = np.array([member.quantity for member in members])
        singly = int((prices[:-1] * quantities).sum())
        if singly > prices[-1]:
            found.append(Bundle(row, singly, singly - int(prices[-1])))
    return sorted(found, key=lambda bundle: (-bundle.saving, bundle.row))
