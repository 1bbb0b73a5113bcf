"""The values of one request that expressions read beside the product: seed, visitor, cart, time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from endcap.catalog.fields import CatalogFields
from endcap.catalog.values import product_values
from endcap.core.money import exponent

from .query import Query, State

_NOTHING: Mapping[str, Any] = {}


class RequestValues(Mapping[str, Mapping[str, Any]]):
    """Values by root and field, worked out when an expression first reads the root."""

    def __init__(self, query: Query, state: State) -> None:
        self._query = query
        self._state = state
        self._made: dict[str, Mapping[str, Any]] = {}
        self.fields = CatalogFields(state.columns, query.now, query.zone)

    def __getitem__(self, root: str) -> Mapping[str, Any]:
        found = self._made.get(root)
        if found is None:
            found = self._made[root] = _ROOTS[root](self._query, self._state)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_ROOTS)

    def __len__(self) -> int:
        return len(_ROOTS)


def values_of(query: Query, state: State) -> RequestValues:
    """The values of a request, made once per request."""
    if query.values is None:
        query.values = RequestValues(query, state)
    values: RequestValues = query.values
    return values


def _seed(query: Query, state: State) -> Mapping[str, Any]:
    if not len(query.seeds):
        return _NOTHING
    return product_values(state.columns, int(query.seeds[0]), query.now, query.zone)


def _visitor(query: Query, state: State) -> Mapping[str, Any]:
    traits = query.traits
    return {
        "known": traits.days_since_seen is not None,
        "orders": float(traits.orders),
        "spend": traits.spend / 10 ** exponent(traits.currency),
        "days_since_seen": traits.days_since_seen,
        "days_since_first_seen": traits.days_since_first_seen,
        "days_since_order": traits.days_since_order,
        "favourite_category": traits.favourite_category,
        "device": query.device or traits.device,
        "zone": query.zone or traits.zone,
        "tags": tuple(sorted(traits.tags)),
        "segments": tuple(sorted(traits.segments)),
    }


def _request(query: Query, state: State) -> Mapping[str, Any]:
    return {
        "placement": query.placement,
        "zone": query.zone,
        "device": query.device,
        "category": query.category,
        "search": query.search,
        "count": float(query.count),
    }


def _cart(query: Query, state: State) -> Mapping[str, Any]:
    columns, rows = state.columns, query.cart
    prices = columns.price_in(rows, query.zone)
    scales = [columns.currencies.get(code, 100) for code in columns.currency[rows].tolist()]
    total = np.where(prices < 0, 0, prices) / np.array(scales or [1])[: len(rows)]
    paths = {columns.tree.symbols.names[code] for code in columns.categories[rows].ravel().tolist()}
    brands = {columns.names.names[code] for code in columns.brand[rows].tolist()}
    return {
        "size": float(len(rows)),
        "total": float(total.sum()),
        "products": tuple(columns.ids[row] for row in rows.tolist()),
        "categories": tuple(sorted(paths - {""})),
        "brands": tuple(sorted(brands - {""})),
    }


def _now(query: Query, state: State) -> Mapping[str, Any]:
    return now_values(query.now)


def now_values(now: int) -> Mapping[str, Any]:
    """The time (UTC milliseconds) as expressions read it."""
    moment = datetime.fromtimestamp(now // 1_000, UTC)
    return {
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "weekday": moment.isoweekday(),
        "hour": moment.hour,
    }


_ROOTS: dict[str, Callable[[Query, State], Mapping[str, Any]]] = {
    "seed": _seed,
    "visitor": _visitor,
    "request": _request,
    "cart": _cart,
    "now": _now,
}
