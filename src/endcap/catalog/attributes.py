"""Attributes as columns: per name one column for each kind of value that products give it."""

import numpy as np

from endcap.core.product import AttributeValue, Product

from .arrays import Lists, Symbols
from .sparse import SparseColumn


class Attribute:
    """One name. A product has its value in at most one of the four columns.

    Texts and lists are codes of their tables, 0 for none; numbers are doubles, NaN for none; flags
    are 1, 0, and -1 for none. A column is there once a product has such a value.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.texts: SparseColumn | None = None
        self.numbers: SparseColumn | None = None
        self.flags: SparseColumn | None = None
        self.lists: SparseColumn | None = None
        self.text_table = Symbols()
        self.list_table = Lists()

    def set(self, row: int, value: AttributeValue) -> None:
        """Give a row its value; an empty text or list is none."""
        if isinstance(value, bool):
            if self.flags is None:
                self.flags = SparseColumn(np.int8, -1, self._capacity)
            self.flags.set(row, int(value))
        elif isinstance(value, int | float):
            if self.numbers is None:
                self.numbers = SparseColumn(np.float64, np.nan, self._capacity)
            self.numbers.set(row, float(value))
        elif isinstance(value, str):
            if self.texts is None:
                self.texts = SparseColumn(np.int32, 0, self._capacity)
            self.texts.set(row, self.text_table.code(value))
        else:
            if self.lists is None:
                self.lists = SparseColumn(np.int32, 0, self._capacity)
            self.lists.set(row, self.list_table.code(tuple(value)))

    def clear(self, row: int) -> None:
        """Take a row's value away."""
        for column in self._columns():
            column.clear(row)

    def grow(self, capacity: int) -> None:
        """Make room for more rows."""
        self._capacity = capacity
        for column in self._columns():
            column.grow(capacity)

    def _columns(self) -> list[SparseColumn]:
        columns = (self.texts, self.numbers, self.flags, self.lists)
        return [column for column in columns if column is not None]


class Attributes:
    """All attributes of a shop's products, by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Attribute] = {}
        self._capacity = 0
        # Which names a row has: products of a kind share them, so a number per row will do.
        self._names = Lists()
        self.names_of = np.zeros(0, np.int32)

    def find(self, name: str) -> Attribute | None:
        """The columns of a name; None when no product ever had it."""
        return self._by_name.get(name)

    def names(self) -> list[str]:
        """Every name seen."""
        return sorted(self._by_name)

    def grow(self, capacity: int) -> None:
        """Make room for more rows."""
        wider = np.zeros(capacity, np.int32)
        wider[: len(self.names_of)] = self.names_of
        self.names_of, self._capacity = wider, capacity
        for attribute in self._by_name.values():
            attribute.grow(capacity)

    def fill(self, row: int, product: Product) -> None:
        """Take over a product's attributes in place of those it had."""
        for name in self._names.value(int(self.names_of[row])):
            self._by_name[name].clear(row)
        for name, value in product.attributes.items():
            attribute = self._by_name.get(name)
            if attribute is None:
                attribute = self._by_name[name] = Attribute(self._capacity)
            attribute.set(row, value)
        self.names_of[row] = self._names.code(tuple(sorted(product.attributes)))

    def forget(self, row: int) -> None:
        """Take all values of a row away, whatever names it is said to have."""
        for attribute in self._by_name.values():
            attribute.clear(row)
        self.names_of[row] = 0
