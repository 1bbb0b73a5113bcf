"""Which product follows which in sessions, one step and two steps on."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import FloatArray, IntArray, LongArray

from .session_index import spread

CACHED = 20_000


class Transitions:
    """Partners of each product with weights that sum to 1, by the snapshot's product numbers.

    `offsets` int64[n+1], `partner` int32[m], `weight` float32[m]; `times` int32[m] counts how
    often the partner came later in the same session.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.offsets: LongArray = arrays["offsets"]
        self.partner: IntArray = arrays["partner"]
        self.weight: npt.NDArray[np.float32] = arrays["weight"]
        self.times: IntArray = arrays["times"]
        self._two_steps: OrderedDict[tuple[int, int], tuple[IntArray, FloatArray]] = OrderedDict()

    def step(self, product: int) -> tuple[IntArray, FloatArray]:
        """The product's partners and their weights."""
        row = slice(int(self.offsets[product]), int(self.offsets[product + 1]))
        return self.partner[row], self.weight[row].astype(np.float64)

    def two_steps(self, product: int, best: int) -> tuple[IntArray, FloatArray]:
        """Partners of the partners: the best `best` of the product's row of the squared matrix.

        Made at first use (at most partners x partners look-ups) and kept for the `CACHED` products
        asked for last.
        """
        key = (product, best)
        made = self._two_steps.get(key)
        if made is None:
            made = self._square(product, best)
            self._two_steps[key] = made
            if len(self._two_steps) > CACHED:
                self._two_steps.popitem(last=False)
        return made

    def between(self, product: int, partner: int) -> int:
        """How often the partner came after the product; 0 when it is not among its partners."""
        row = slice(int(self.offsets[product]), int(self.offsets[product + 1]))
        at = np.flatnonzero(self.partner[row] == partner)
        return int(self.times[row.start + int(at[0])]) if len(at) else 0

    def _square(self, product: int, best: int) -> tuple[IntArray, FloatArray]:
        partners, weights = self.step(product)
        starts = self.offsets[partners]
        at, owner = spread(starts, self.offsets[partners + 1] - starts)
        reached, inverse = np.unique(self.partner[at], return_inverse=True)
        sums = np.bincount(inverse, self.weight[at] * weights[owner], len(reached))
        if len(reached) > best:
            kept = np.sort(np.argsort(-sums, kind="stable")[:best])
            reached, sums = reached[kept], sums[kept]
        return reached, sums.astype(np.float64)
