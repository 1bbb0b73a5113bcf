"""A column that is kept as pairs while few products have a value, and as an array once many do."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import IntArray, grown

# An array costs 4 or 8 bytes per product, a pair about 100 per value: from one product in 16 on,
# the array is the smaller of the two.
DENSE_FROM = 16
SMALLEST = 64


class SparseColumn:
    """Values by row; `fill` stands where there is none."""

    def __init__(self, kind: type[Any], fill: Any, capacity: int) -> None:
        self.fill = fill
        self._capacity = capacity
        self._kind = kind
        self.dense: npt.NDArray[Any] | None = None
        self._pairs: dict[int, Any] = {}
        self._sorted: tuple[IntArray, npt.NDArray[Any]] | None = None

    def grow(self, capacity: int) -> None:
        """Make room for more rows."""
        self._capacity = capacity
        if self.dense is not None:
            self.dense = grown(self.dense, capacity, self.fill)

    def set(self, row: int, value: Any) -> None:
        """Give a row its value."""
        if self.dense is not None:
            self.dense[row] = value
            return
        self._pairs[row] = value
        self._sorted = None
        if len(self._pairs) > max(SMALLEST, self._capacity // DENSE_FROM):
            dense = np.full(self._capacity, self.fill, self._kind)
            rows, values = self._arrays()
            dense[rows] = values
            self.dense, self._pairs, self._sorted = dense, {}, None

    def clear(self, row: int) -> None:
        """Take a row's value away."""
        if self.dense is not None:
            self.dense[row] = self.fill
        elif self._pairs.pop(row, None) is not None:
            self._sorted = None

    def read(self, rows: IntArray | slice) -> npt.NDArray[Any]:
        """The values of some rows, or of a stretch of them (both ends given)."""
        if self.dense is not None:
            found: npt.NDArray[Any] = self.dense[rows]
            return found
        own, values = self._arrays()
        if isinstance(rows, slice):
            first, last = np.searchsorted(own, (rows.start, rows.stop))
            found = np.full(rows.stop - rows.start, self.fill, self._kind)
            found[own[first:last] - rows.start] = values[first:last]
            return found
        found = np.full(len(rows), self.fill, self._kind)
        if len(own):
            at = np.minimum(np.searchsorted(own, rows), len(own) - 1)
            here = own[at] == rows
            found[here] = values[at[here]]
        return found

    def _arrays(self) -> tuple[IntArray, npt.NDArray[Any]]:
        if self._sorted is None:
            rows = np.array(sorted(self._pairs), np.int32)
            values = [self._pairs[row] for row in rows.tolist()]
            self._sorted = rows, np.array(values, self._kind)
        return self._sorted
