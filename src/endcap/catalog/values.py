"""One product's fields as single values, as expressions on the seed read them."""

from typing import Any

import numpy as np

from .columns import Columns
from .fields import CatalogFields

_NUMBERS = (
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
_TEXTS = ("id", "group", "brand", "category", "currency", "availability")


def product_values(columns: Columns, row: int, now: int, zone: str | None = None) -> dict[str, Any]:
    """Values by field; what the product does not have is left out or NaN."""
    fields = CatalogFields(columns, now, zone)
    one = np.array([row], np.int32)
    values: dict[str, Any] = {}
    for name in _NUMBERS:
        column = fields.numbers(name, None, one)
        assert column is not None
        values[name] = float(column[0])
    for name in _TEXTS:
        coded = fields.texts(name, None, one)
        assert coded is not None
        values[name] = coded.table.value(int(coded.codes[0]))
    for name in ("tags", "categories"):
        coded = fields.lists(name, None, one)
        assert coded is not None
        values[name] = coded.table.value(int(coded.codes[0]))
    flags = fields.flags("in_stock", None, one)
    values["in_stock"] = flags is not None and bool(flags[0] == 1)
    values["attributes"] = {
        name: _single(value) for name, value in columns.product(row).attributes.items()
    }
    return values


def _single(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
