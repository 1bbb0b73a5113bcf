"""Visitors since the snapshot was counted: the live counters less what they began with.

Decayed counts alone are no numbers to print: what happened three days ago is still in them. A
snapshot's own count of a window plus what is fresh is one.
"""

from typing import TYPE_CHECKING

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray

from .counters import LIFETIMES, WINDOWS, Counters, signal_weights
from .decayed import aged

if TYPE_CHECKING:
    from .joined import Joined


class Fresh:
    """What is new since one snapshot."""

    def __init__(self, joined: "Joined") -> None:
        self._joined = joined
        self._table = joined.table("counters")
        self._keys = np.empty(0, np.int64)
        self._zones: dict[str, int] = {}
        if self._table is not None and joined.snapshot is not None:
            # Sorted by zone and product, as the build wrote them.
            self._size = max(1, int(self._table["product"].max(initial=0)) + 1)
            self._keys = self._table["zone"].astype(np.int64) * self._size + self._table["product"]
            names = joined.snapshot.texts("counter_zones")
            self._zones = {name: number for number, name in enumerate(names)}

    def visitors(
        self,
        rows: IntArray,
        counters: Counters,
        now: int,
        signal: str = "acts",
        zone: str | None = None,
        window: str = "30d",
    ) -> FloatArray:
        """Visitors of each row since the snapshot; an event counts 1/e after `window`."""
        live = counters.rate(rows, window, now, signal, zone)
        return np.maximum(live - self._began_with(rows, now, signal, zone, window), 0.0)

    def _began_with(
        self, rows: IntArray, now: int, signal: str, zone: str | None, window: str
    ) -> FloatArray:
        sums = np.zeros(len(rows))
        number = -1 if zone is None else self._zones.get(zone)
        if self._table is None or not len(self._keys) or number is None:
            return sums
        products = self._joined.products_or_none(rows).astype(np.int64)
        keys = number * self._size + products
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = (products >= 0) & (products < self._size) & (self._keys[at] == keys)
        own = self._table["sums"][WINDOWS[window]][:, at[known]]
        age = aged(now, int(self._table["landmark"][0]), LIFETIMES[window])
        sums[known] = (signal_weights(signal) @ own) * np.exp(-age)
        return sums
