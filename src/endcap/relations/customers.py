"""Customers who buy alike: the index of a snapshot, and what the nearest of them buy."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import FloatArray, IntArray, LongArray

from .session_index import spread


class Alike(NamedTuple):
    """What the nearest customers buy: products, mean weight by likeness, how many buy each."""

    products: IntArray
    weights: FloatArray
    buyers: LongArray
    customers: int


NOBODY = Alike(np.empty(0, np.int32), np.empty(0), np.empty(0, np.int64), 0)


class CustomerIndex:
    """Customers numbered by their last purchase, the newest last; the snapshot's product numbers.

    `items` int32 and `weights` float32 hold what each customer bought with its decayed frequency,
    one customer after the other, `offsets` int64[n+1] where each begins, `visitors` uint32[n] whose
    they are. `postings` int32 are per product its newest customers, newest first, with
    `posting_weights`; `starts` int64[p+1] where they begin. `holders` int32[p] counts all customers
    of a product. Holds scratch arrays, so it serves one thread.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.offsets: LongArray = arrays["offsets"]
        self.items: IntArray = arrays["items"]
        self.weights: npt.NDArray[np.float32] = arrays["weights"]
        self.visitors: npt.NDArray[np.uint32] = arrays["visitors"]
        self.starts: LongArray = arrays["starts"]
        self.postings: IntArray = arrays["postings"]
        self.posting_weights: npt.NDArray[np.float32] = arrays["posting_weights"]
        self.holders: IntArray = arrays["holders"]
        hits, tries = arrays["repeats"].tolist()
        self.repeat_share = hits / tries if tries else 0.0
        self._scratch: FloatArray = np.zeros(len(self))
        self._norms: dict[float, FloatArray] = {}

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rarity(self, products: IntArray, power: float) -> FloatArray:
        """idf ^ power: ln(customers / customers of the product) ^ power."""
        held = np.maximum(self.holders[products], 1)
        rare: FloatArray = np.maximum(0.0, np.log(max(1, len(self)) / held)) ** power
        return rare

    def alike(
        self, products: IntArray, weights: FloatArray, best: int, power: float, visitor: int
    ) -> Alike:
        """The `best` customers by cosine over weight * idf ^ power, the visitor left out."""
        rare = self.rarity(products, power)
        sums, found = self._scratch, []
        for product, weight in zip(
            products.tolist(), (weights * rare * rare).tolist(), strict=True
        ):
            row = slice(int(self.starts[product]), int(self.starts[product + 1]))
            customers = self.postings[row]
            found.append(customers[sums[customers] == 0])
            sums[customers] += max(weight, 1e-12) * self.posting_weights[row]
        near = np.concatenate(found) if found else np.empty(0, np.int32)
        likeness = sums[near] / self._norm(power)[near]
        sums[near] = 0.0
        others = self.visitors[near] != np.uint32(visitor)
        near, likeness = near[others], likeness[others]
        if len(near) > best:
            order = np.lexsort((-near, -likeness))[:best]
            near, likeness = near[order], likeness[order]
        return self._bought(near, likeness) if len(near) else NOBODY

    def _bought(self, near: IntArray, likeness: FloatArray) -> Alike:
        begins = self.offsets[near]
        at, owner = spread(begins, self.offsets[near + 1] - begins)
        products, inverse = np.unique(self.items[at], return_inverse=True)
        weights = np.bincount(inverse, self.weights[at] * likeness[owner], len(products))
        buyers = np.bincount(inverse, minlength=len(products))
        return Alike(products, weights / likeness.sum(), buyers, len(near))

    def _norm(self, power: float) -> FloatArray:
        """Length of each customer's vector; made once per power."""
        norm = self._norms.get(power)
        if norm is None:
            squares = (self.weights * self.rarity(self.items, power)) ** 2
            sums = np.add.reduceat(squares, self.offsets[:-1]) if len(self) else np.empty(0)
            norm = self._norms[power] = np.sqrt(np.maximum(sums, 1e-24))
        return norm
