"""A visitor's affinities: facets of what they looked at, put in the cart and bought, decayed."""

from collections import OrderedDict, defaultdict
from functools import cached_property
from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import BoolArray, FloatArray, IntArray
from endcap.catalog.columns import Columns
from endcap.core.merchant import Corrections, Facet, Profile
from endcap.core.times import DAY

from .query import KIND, State, Trail

WEIGHTS = {
    "view": 1.0,
    "click": 1.0,
    "cart_add": 3.0,
    "cart_remove": -1.0,
    "wishlist_add": 3.0,
    "purchase": 5.0,
    "refund": -4.0,
    "rate": 0.0,
    "dismiss": -4.0,
}
_BY_KIND = np.array([WEIGHTS[name] for name in KIND])
SHOWN = 30
# Older events than these say little of what a visitor likes now.
MAX_EVENTS = 60
MAX_KEPT = 20_000


class KeptProfiles:
    """Profiles of the visitors met lately, as long as nothing that they are made of has changed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Trail, _Basis, Profile]] = OrderedDict()

    def profile(
        self, trail: Trail, state: State, half_life_days: float, corrections: Corrections
    ) -> Profile:
        """See `profile_of`."""
        # A product's version rises whenever a facet of it changes.
        versions = int(state.columns.version[trail.rows[:MAX_EVENTS]].sum())
        basis = _Basis(versions, half_life_days, corrections)
        kept = self._kept.get(id(trail.rows))
        if kept is not None and kept[0].rows is trail.rows and kept[1] == basis:
            return kept[2]
        profile = profile_of(trail, state, half_life_days, corrections)
        self._kept[id(trail.rows)] = (trail, basis, profile)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return profile


class _Basis(NamedTuple):
    versions: int
    half_life_days: float
    corrections: Corrections


def kept_profile(
    trail: Trail, state: State, half_life_days: float, corrections: Corrections
) -> Profile:
    """See `profile_of`; one that was worked out before and still holds is taken."""
    return state.kept(KeptProfiles).profile(trail, state, half_life_days, corrections)


def profile_of(
    trail: Trail, state: State, half_life_days: float, corrections: Corrections
) -> Profile:
    """The profile of a trail: each event weighs by its kind and halves every `half_life_days`.

    The strongest facet has weight 1, so only the time between events counts, not the time since.
    What the shopper set stands as it is, what they muted is out.
    """
    rows, kinds = trail.rows[:MAX_EVENTS], trail.kinds[:MAX_EVENTS]
    ages = (trail.times[:1] - trail.times[:MAX_EVENTS]) / (half_life_days * DAY)
    values = (_BY_KIND[kinds] * 0.5**ages).tolist()
    # A product that was met several times is looked up once.
    totals: dict[int, list[float]] = {}
    for row, value in zip(rows.tolist(), values, strict=True):
        totals.setdefault(row, []).append(value)
    sums: dict[str, float] = defaultdict(float)
    events: dict[str, int] = defaultdict(int)
    for row, own in totals.items():
        total, times = sum(own), len(own)
        for facet, part in state.cards.facets(row):
            sums[facet] += total * part
            events[facet] += times
    strongest = max((abs(value) for value in sums.values()), default=0.0) or 1.0
    weights = {facet: value / strongest for facet, value in sums.items()}
    weights |= corrections.weights
    kept = [(f, w) for f, w in weights.items() if w and f not in corrections.muted]
    kept.sort(key=lambda one: (-abs(one[1]), one[0]))
    found = [
        Facet(facet, round(weight, 4), events.get(facet, 0), facet in corrections.weights)
        for facet, weight in kept[:SHOWN]
    ]
    return Profile(found, list(corrections.muted), len(trail.rows))


class FacetReader:
    """Tells which of some rows have a facet; what facets of one kind share is read once."""

    def __init__(self, rows: IntArray, state: State) -> None:
        self._rows = rows
        self._columns = state.columns

    def has(self, facet: str) -> BoolArray:
        """Which rows have the facet."""
        kind, _, value = facet.partition(":")
        if kind == "brand":
            code = self._columns.names.find(value)
            brand: BoolArray = self._brands == (-1 if code is None else code)
            return brand
        if kind == "category":
            subtree = self._columns.tree.subtree(value)
            if subtree is None:
                return np.zeros(len(self._rows), np.bool_)
            inside: BoolArray = np.any(subtree[self._categories], axis=1)
            return inside
        if kind == "price":
            low, _, high = value.partition("-")
            try:
                band: BoolArray = (self._units >= float(low)) & (self._units < float(high))
            except ValueError:
                return np.zeros(len(self._rows), np.bool_)
            return band
        return _has(kind, value, self._rows, self._columns)

    @cached_property
    def _brands(self) -> IntArray:
        return self._columns.brand[self._rows]

    @cached_property
    def _categories(self) -> IntArray:
        return self._columns.categories[self._rows]

    @cached_property
    def _units(self) -> FloatArray:
        """Prices in whole units of their currency; -1 for none."""
        units = self._columns.units[self._rows]
        return np.where(np.isnan(units), -1.0, units)


def _has(name: str, value: str, rows: IntArray, columns: Columns) -> BoolArray:
    """Which rows have the value of an attribute, as one of them or as the only one."""
    mask = np.zeros(len(rows), np.bool_)
    attribute = columns.attributes.find(name)
    if attribute is None:
        return mask
    if attribute.texts is not None and (code := attribute.text_table.find(value)):
        mask |= attribute.texts.read(rows) == code
    if attribute.flags is not None and value in ("True", "False"):
        mask |= attribute.flags.read(rows) == (value == "True")
    if attribute.numbers is not None and (number := _number(value)) is not None:
        mask |= attribute.numbers.read(rows) == number
    if attribute.lists is not None:
        mask |= np.isin(attribute.lists.read(rows), attribute.list_table.having(value))
    return mask


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
