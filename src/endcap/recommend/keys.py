"""What products are grouped by: brand, category, group, or an attribute, as one number per row."""

from endcap.catalog.arrays import IntArray
from endcap.catalog.columns import Columns

KEYS = ("brand", "category", "group")


def keys_of(by: str, rows: IntArray, columns: Columns) -> IntArray:
    """The number of each row's value; 0 for a product that has none. Raises KeyError."""
    if by == "category":
        own: IntArray = columns.categories[rows, 0]
        return own
    if by not in KEYS:
        raise KeyError(by)
    found: IntArray = getattr(columns, by)[rows]
    return found
