"""Which numbers of a column are in a list: a perfect hash, so that the list's length is free."""

from typing import Any

import numpy as np

from .columns import BoolArray, FloatArray
from .masks import Mask

FEW = 8
BITS = 16
# Odd multipliers (multiplicative hashing); one that keeps the list's values apart is searched for.
_SEEDS = [0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019 * 2 * n for n in range(64)]
_MASK64 = 2**64 - 1


class Members:
    """The numbers of a list; whatever is no number is left out."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        # A whole number that no double equals is equal to none. Minus zero becomes zero.
        self._figures = sorted({float(one) + 0.0 for one in numbers if float(one) == one})
        self._seed: int | None = None
        self._slots: FloatArray = np.empty(0)
        if len(self._figures) > FEW:
            self._spread(np.array(self._figures))

    def among(self, values: FloatArray | float) -> Mask:
        """Where the value equals one of them; NaN equals nothing."""
        if not self._figures:
            return False
        column = np.asarray(values, np.float64)
        if len(self._figures) <= FEW or column.ndim == 0:
            found: BoolArray = column == self._figures[0]
            for figure in self._figures[1:]:
                found = found | (column == figure)
            return found
        if self._seed is None:
            figures = np.array(self._figures)
            at = np.minimum(np.searchsorted(figures, column), len(figures) - 1)
            found = figures[at] == column
        else:
            slots = self._slots.take(_places(column + 0.0, self._seed), mode="clip")
            found = slots == column
        return found

    def _spread(self, figures: FloatArray) -> None:
        for seed in _SEEDS:
            places = _places(figures, seed)
            if len(np.unique(places)) == len(figures):
                self._slots = np.full(2**BITS, np.nan)
                self._slots[places] = figures
                self._seed = seed
                return


def _places(values: FloatArray, seed: int) -> Any:
    bits = values.view(np.uint64) * np.uint64(seed & _MASK64)
    return (bits >> np.uint64(64 - BITS)).view(np.int64)
