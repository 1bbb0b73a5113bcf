"""Products by when they came: into the catalogue, or on sale when that is later."""

import numpy as np

from .arrays import NO_ITEMS, IntArray, LongArray

# Below so many changes the order is mended, above it is made anew.
MENDED = 1_000


class Arrivals:
    """Rows by falling arrival, ties by falling row; kept in order as products come."""

    def __init__(self) -> None:
        self._order: IntArray = NO_ITEMS
        self._changed: dict[int, None] = {}

    def changed(self, row: int) -> None:
        """The arrival of a row is new or another."""
        self._changed[row] = None

    def newest_first(self, arrived: LongArray) -> IntArray:
        """All rows; `arrived` holds the arrival of each in UTC milliseconds."""
        if self._changed:
            if len(self._changed) > MENDED or not len(self._order):
                self._order = _sorted(np.arange(len(arrived), dtype=np.int32), arrived)
            else:
                self._mend(arrived)
            self._changed.clear()
        return self._order

    def _mend(self, arrived: LongArray) -> None:
        rows = np.fromiter(self._changed, np.int32, len(self._changed))
        order = self._order[~np.isin(self._order, rows)]
        fresh = _sorted(rows, arrived)
        # Both are sorted by falling arrival, so each fresh row's place is found by bisection.
        places = np.searchsorted(-arrived[order], -arrived[fresh], side="left")
        self._order = np.insert(order, places, fresh)


def _sorted(rows: IntArray, arrived: LongArray) -> IntArray:
    order: IntArray = rows[np.lexsort((-rows, -arrived[rows]))]
    return order
