"""The two expressions of a rule as functions of the request."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.rules.expression import CHUNK, Expression

from .environment import values_of
from .query import Query, State


class Condition:
    """A rule's `when`; conditions with the same text are equal."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def __call__(self, query: Query, state: State) -> bool:
        """Whether it holds."""
        return self.expression.holds(values_of(query, state))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and other.expression.text == self.expression.text

    def __hash__(self) -> int:
        return hash(self.expression.text)


class ProductTest:
    """A rule's `where`."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def __call__(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Which of the rows it is true for."""
        values = values_of(query, state)
        return self.expression.mask(values.fields, stretch(rows), values)


def stretch(rows: IntArray) -> IntArray | slice:
    """Many rows in a row as a stretch, whose columns are read without copying."""
    size = len(rows)
    if size < CHUNK or rows[-1] - rows[0] != size - 1 or not np.all(rows[1:] > rows[:-1]):
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1)
