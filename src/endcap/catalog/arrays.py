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
