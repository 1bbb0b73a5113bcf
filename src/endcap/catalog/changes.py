"""Which rows changed lately, for what is kept per row elsewhere."""

import numpy as np

from .arrays import IntArray

MAX_KEPT = 100_000


class Changes:
    """Rows in the order of their changes; `count` is how many changes there were in all."""

    def __init__(self) -> None:
        self.count = 0
        self._rows: list[int] = []

    def add(self, row: int) -> None:
        """Note a change of a row."""
        self.count += 1
        self._rows.append(row)
        if len(self._rows) > MAX_KEPT:
            del self._rows[: MAX_KEPT // 2]

    def since(self, count: int) -> IntArray | None:
        """Rows changed after the first `count` changes; None when that is too long ago to know."""
        missing = self.count - count
        if missing > len(self._rows):
            return None
        rows = self._rows[len(self._rows) - missing :]
        return np.array(list(dict.fromkeys(rows)), np.int32)
