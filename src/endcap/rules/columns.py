"""What an expression reads of the products: columns by field, missing values marked."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float64]
ByteArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]
Rows = IntArray | slice
"""Rows of the catalogue by number, or a stretch of them, which is read without copying."""


class Table(Protocol):
    """Texts or lists numbered from 0, only ever added to; 0 is the empty one, which is missing."""

    def __len__(self) -> int:
        """How many."""

    def value(self, code: int) -> Any:
        """The text, or the tuple of texts."""

    def find(self, value: Any) -> int | None:
        """The number of a value, if it has one."""

    def having(self, item: Any) -> Sequence[int]:
        """Of a table of lists: the numbers of those that have the item."""


class Coded(NamedTuple):
    """A column of texts or lists, as numbers of a table."""

    codes: IntArray
    table: Table


class Fields(Protocol):
    """The columns. Each answers None when no product has such a value under the name and key."""

    def count(self, rows: Rows) -> int:
        """How many rows these are."""

    def numbers(self, name: str, key: str | None, rows: Rows) -> FloatArray | None:
        """Numbers, NaN where missing."""

    def texts(self, name: str, key: str | None, rows: Rows) -> Coded | None:
        """Texts, 0 where missing."""

    def flags(self, name: str, key: str | None, rows: Rows) -> ByteArray | None:
        """1, 0, and -1 where missing."""

    def lists(self, name: str, key: str | None, rows: Rows) -> Coded | None:
        """Lists of texts, 0 where empty or missing."""
