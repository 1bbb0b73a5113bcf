"""One product's fields as single values, as expressions on the seed read them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .columns import Columns
from .fields import CatalogFields

_NUMBERS = frozenset(
    (
        "price",
        "list_price",
        "discount",
        "cost",
        "margin",
        "rating",
        "rating_count",
        "stock",
        "age_days",
    )
)
_TEXTS = frozenset(("id", "group", "brand", "category", "currency", "availability"))
_LISTS = frozenset(("tags", "categories"))
_FIELDS = (*sorted(_NUMBERS | _TEXTS | _LISTS), "in_stock", "attributes")


class ProductValues(Mapping[str, Any]):
    """Values by field, each read when it is first asked for; what is missing is NaN or empty."""

    def __init__(self, columns: Columns, row: int, now: int, zone: str | None = None) -> None:
        self._columns = columns
        self._row = row
        self._fields = CatalogFields(columns, now, zone)
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = self._value(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)

    def _value(self, name: str) -> Any:
        one = np.array([self._row], np.int32)
        if name in _NUMBERS:
            column = self._fields.numbers(name, None, one)
            assert column is not None
            return float(column[0])
        if name in _TEXTS or name in _LISTS:
            read = self._fields.texts if name in _TEXTS else self._fields.lists
            coded = read(name, None, one)
            assert coded is not None
            return coded.table.value(int(coded.codes[0]))
        if name == "in_stock":
            flags = self._fields.flags("in_stock", None, one)
            return flags is not None and bool(flags[0] == 1)
        if name == "attributes":
            attributes = self._columns.product(self._row).attributes
            return {key: _single(value) for key, value in attributes.items()}
        raise KeyError(name)


def product_values(
    columns: Columns, row: int, now: int, zone: str | None = None
) -> Mapping[str, Any]:
    """The product's values at `now`, in the zone."""
    return ProductValues(columns, row, now, zone)


def _single(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
