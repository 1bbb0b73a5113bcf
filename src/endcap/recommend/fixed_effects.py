"""What a placement's fixed rules do, worked out once per product and kept until it changes.

With hundreds of rules a request then reads two numbers per candidate, however many rules there are.
"""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import BoolArray, FloatArray, IntArray
from endcap.catalog.columns import Columns

from .merchandising import PlacementRules, fixed_effects
from .query import State

MAX_KEPT = 32


class Kept:
    """Arrays over the catalogue, and the product versions they were worked out for."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.change = -1
        self.versions: IntArray = np.zeros(0, np.int32)
        self.keep: BoolArray = np.zeros(0, np.bool_)
        self.factor: FloatArray = np.zeros(0)
        self.by: npt.NDArray[np.uint8] = np.zeros((0, 0), np.uint8)


class Picked:
    """What is kept of some rows."""

    def __init__(self, kept: Kept, rows: IntArray) -> None:
        self._kept = kept
        self._rows = rows

    @property
    def keep(self) -> BoolArray:
        """See `merchandising.Fixed`."""
        return self._kept.keep[self._rows]

    @property
    def factor(self) -> FloatArray:
        """See `merchandising.Fixed`."""
        return self._kept.factor[self._rows]

    @property
    def by(self) -> npt.NDArray[np.uint8]:
        """See `merchandising.Fixed`."""
        return self._kept.by[self._rows]


class FixedEffects:
    """Kept arrays by the rules they are of; placements with the same rules share them.

    A zone in which something differs has arrays of its own.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None, str], Kept] = OrderedDict()

    def prepare(self, rules: PlacementRules, state: State) -> None:
        """Work out what is not kept yet, before requests need it; may run on another thread.

        Rows that change meanwhile are worked out again by the next request.
        """
        key = (state.columns.shop, None, rules.fixed_key)
        known = self._kept.get(key)
        if not rules.fixed_key or (known is not None and known.columns is state.columns):
            return
        kept = Kept(state.columns)
        _refresh(kept, rules, state, None)
        self._kept[key] = kept

    def __call__(
        self, rules: PlacementRules, rows: IntArray, state: State, zone: str | None = None
    ) -> "Picked":
        """See `fixed_effects`."""
        own = zone if state.columns.zones.find(zone) is not None else None
        key = (state.columns.shop, own, rules.fixed_key)
        kept = self._kept.get(key)
        if kept is None or kept.columns is not state.columns:
            kept = self._kept[key] = Kept(state.columns)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        if kept.change != state.columns.change:
            _refresh(kept, rules, state, own)
        return Picked(kept, rows)


def _refresh(kept: Kept, rules: PlacementRules, state: State, zone: str | None) -> None:
    columns = state.columns
    change, size, known = columns.change, len(columns), len(kept.versions)
    versions = columns.version[:size].copy()
    changed = np.flatnonzero(versions[:known] != kept.versions)
    rows = np.concatenate([changed, np.arange(known, size)]).astype(np.int32)
    fixed = fixed_effects(rules, rows, state, zone)
    if size > known:
        kept.keep = np.concatenate([kept.keep, np.ones(size - known, np.bool_)])
        kept.factor = np.concatenate([kept.factor, np.ones(size - known)])
        fresh = np.zeros((size - known, fixed.by.shape[1]), np.uint8)
        kept.by = np.concatenate([kept.by, fresh]) if known else fresh
    kept.keep[rows], kept.factor[rows], kept.by[rows] = fixed
    kept.versions = versions
    kept.change = change
