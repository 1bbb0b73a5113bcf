"""What products are grouped by: brand, category, group, or an attribute, as one number per row."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.catalog.columns import Columns

KEYS = ("brand", "category", "group")
ATTRIBUTE = "attributes."


def keys_of(by: str, rows: IntArray, columns: Columns) -> IntArray:
    """The number of each row's value; 0 for a product that has none. Raises KeyError."""
    if by == "category":
        own: IntArray = columns.categories[rows, 0]
        return own
    if by.startswith(ATTRIBUTE):
        return _attribute(by.removeprefix(ATTRIBUTE), rows, columns)
    if by not in KEYS:
        raise KeyError(by)
    found: IntArray = getattr(columns, by)[rows]
    return found


def _attribute(name: str, rows: IntArray, columns: Columns) -> IntArray:
    """Equal numbers for equal values of whatever kind; lists count as a whole."""
    attribute = columns.attributes.find(name)
    keys: IntArray = np.zeros(len(rows), np.int32)
    if attribute is None:
        return keys
    for column in (attribute.texts, attribute.lists, attribute.flags, attribute.numbers):
        if column is None:
            continue
        values = column.read(rows)
        has = ~np.isnan(values) if values.dtype == np.float64 else values != column.fill
        _, places = np.unique(values[has], return_inverse=True)
        keys[has] = places + keys.max(initial=0) + 1
    return keys
