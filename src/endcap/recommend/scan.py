"""Reading a long ranking only as far as the slate needs."""

from typing import Protocol

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray

from .stages import Allow


class Ranking(Protocol):
    """Rows in order, read by the stretch."""

    def __len__(self) -> int:
        """How many rows."""

    def __getitem__(self, stretch: slice, /) -> IntArray:
        """The rows of a stretch."""


def first_allowed(ranked: Ranking, allow: Allow, want: int) -> IntArray:
    """The first `want` rows of a ranking that may be shown.

    Looks at stretches that double in length, so a wide-open mask costs one short look and a
    narrow one is still answered from the whole ranking.
    """
    parts: list[IntArray] = []
    missing, start, length = want, 0, 2 * want
    while start < len(ranked) and missing > 0:
        stretch = ranked[start : start + length]
        kept = stretch[allow(stretch)][:missing]
        parts.append(kept)
        missing -= len(kept)
        start += length
        length *= 2
    return np.concatenate(parts) if parts else NO_ITEMS
