"""Numpy columns that grow, and names kept once as small numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

ByteArray = npt.NDArray[np.int8]
IntArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NO_ITEMS: IntArray = np.empty(0, np.int32)


# Up to so many, comparing with each costs less than a search.
FEW = 12


def absent(rows: IntArray, others: IntArray) -> BoolArray:
    """Which rows are not among the others."""
    if len(others) > FEW:
        return np.isin(rows, others, invert=True)
    found: BoolArray = np.ones(len(rows), np.bool_)
    for other in others.tolist():
        found &= rows != other
    return found


def distinct(*parts: IntArray) -> IntArray:
    """The rows of all parts by rising number, each once.

    Sorted, as numpy's own `unique` hashes, which takes some six times as long for a few hundred.
    """
    rows = parts[0].copy() if len(parts) == 1 else np.concatenate(parts)
    rows.sort()
    if len(rows) < 2:
        return rows
    first = np.empty(len(rows), np.bool_)
    first[0] = True
    np.not_equal(rows[1:], rows[:-1], out=first[1:])
    once: IntArray = rows[first]
    return once


def grown(column: npt.NDArray[Any], capacity: int, fill: object) -> npt.NDArray[Any]:
    """A copy of `column` with room for `capacity` rows; new rows hold `fill`."""
    larger = np.full((capacity, *column.shape[1:]), fill, column.dtype)
    larger[: len(column)] = column
    return larger


class Symbols:
    """Texts numbered from 0 in the order of their first appearance; 0 is always the empty text."""

    def __init__(self) -> None:
        self.names: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}

    def __len__(self) -> int:
        return len(self.names)

    def code(self, name: str | None) -> int:
        """The number of a text, new if it was not known; None counts as empty."""
        key = name or ""
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self.names)
            self.names.append(key)
        return code

    def find(self, name: str) -> int | None:
        """The number of a text if it is known."""
        return self._codes.get(name)

    def value(self, code: int) -> str:
        """The text of a number."""
        return self.names[code]

    def having(self, item: str) -> list[int]:
        """Texts have no items."""
        return []


class Lists:
    """Lists of texts numbered from 0 in the order of their first appearance; 0 is the empty one."""

    def __init__(self) -> None:
        self._values: list[tuple[str, ...]] = [()]
        self._codes: dict[tuple[str, ...], int] = {(): 0}
        self._having: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def code(self, items: tuple[str, ...]) -> int:
        """The number of a list, new if it was not known."""
        code = self._codes.get(items)
        if code is None:
            code = self._codes[items] = len(self._values)
            self._values.append(items)
            for item in dict.fromkeys(items):
                self._having.setdefault(item, []).append(code)
        return code

    def find(self, items: tuple[str, ...]) -> int | None:
        """The number of a list if it is known."""
        return self._codes.get(items)

    def value(self, code: int) -> tuple[str, ...]:
        """The list of a number."""
        return self._values[code]

    def having(self, item: str) -> list[int]:
        """The numbers of the lists that have the item."""
        return self._having.get(item, [])
