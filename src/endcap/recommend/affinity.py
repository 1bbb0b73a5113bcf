"""A visitor's affinities: facets of what they looked at, put in the cart and bought, decayed."""

from collections import defaultdict

import numpy as np

from endcap.catalog.arrays import BoolArray, FloatArray, IntArray
from endcap.core.merchant import Corrections, Facet, Profile
from endcap.core.money import exponent
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


def profile_of(
    trail: Trail, state: State, now: int, half_life_days: float, corrections: Corrections
) -> Profile:
    """The profile of a trail: each event weighs by its kind and halves every `half_life_days`.

    The strongest facet has weight 1. What the shopper set stands as it is, what they muted is out.
    """
    ages = np.maximum(0, now - trail.times[:MAX_EVENTS]) / (half_life_days * DAY)
    values = _BY_KIND[trail.kinds[:MAX_EVENTS]] * 0.5**ages
    # A product that was met several times is looked up once.
    rows, inverse, met = np.unique(trail.rows[:MAX_EVENTS], return_inverse=True, return_counts=True)
    totals = np.bincount(inverse, values, len(rows)).tolist()
    sums: dict[str, float] = defaultdict(float)
    events: dict[str, int] = defaultdict(int)
    for row, total, times in zip(rows.tolist(), totals, met.tolist(), strict=True):
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


def matching(facet: str, rows: IntArray, state: State) -> BoolArray:
    """Which rows have the facet."""
    kind, _, value = facet.partition(":")
    columns = state.columns
    if kind == "brand":
        code = columns.names.find(value)
        brand: BoolArray = columns.brand[rows] == (-1 if code is None else code)
        return brand
    if kind == "category":
        return columns.in_category(rows, value)
    if kind == "price":
        low, _, high = value.partition("-")
        units = _units(rows, state)
        try:
            band: BoolArray = (units >= float(low)) & (units < float(high))
        except ValueError:
            return np.zeros(len(rows), np.bool_)
        return band
    return _has(kind, value, rows, state)


def _has(name: str, value: str, rows: IntArray, state: State) -> BoolArray:
    """Which rows have the value of an attribute, as one of them or as the only one."""
    mask = np.zeros(len(rows), np.bool_)
    attribute = state.columns.attributes.find(name)
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


def _units(rows: IntArray, state: State) -> FloatArray:
    """Prices in whole units of their currency; -1 for none."""
    columns = state.columns
    prices = columns.price[rows].astype(np.float64)
    codes = columns.currency[rows]
    for code in np.unique(codes).tolist():
        places = exponent(columns.names.names[code])
        of_code = (codes == code) & (prices >= 0)
        prices[of_code] /= 10.0**places
    return prices
