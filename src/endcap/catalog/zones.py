"""What differs in a shipping zone: price, stock and eligibility, kept only where they do differ."""

from typing import Any

import numpy as np
import numpy.typing as npt

from endcap.core.money import to_minor
from endcap.core.product import Product, ZoneOffer, sells

from .arrays import BoolArray, IntArray, LongArray, grown

_FILLS: dict[str, tuple[type[Any], Any]] = {
    "rows": (np.int32, 0),
    "present": (np.bool_, False),
    "price": (np.int64, -1),
    "stock": (np.int32, -1),
    "eligible": (np.bool_, True),
    "sellable": (np.bool_, False),
}


class Zone:
    """One zone's overlay: the products it says something of, by rising row.

    `price` -1 stands for the product's own price; `stock` is what counts in the zone, -1 for not
    counted.
    """

    rows: IntArray
    present: BoolArray
    price: LongArray
    stock: IntArray
    eligible: BoolArray
    sellable: BoolArray

    def __init__(self) -> None:
        self.size = 0
        for name, (kind, _) in _FILLS.items():
            setattr(self, name, np.empty(0, kind))

    def place(self, row: int) -> int | None:
        """Where a row's overlay stands, if it has one."""
        at = int(np.searchsorted(self.rows[: self.size], row))
        return at if at < self.size and self.rows[at] == row and self.present[at] else None

    def places(self, rows: IntArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Of the rows with an overlay: where they stand in `rows`, and in the overlay."""
        at = np.searchsorted(self.rows[: self.size], rows)
        at = np.minimum(at, max(self.size - 1, 0))
        if not self.size:
            return np.empty(0, np.intp), at[:0]
        found = np.flatnonzero((self.rows[at] == rows) & self.present[at])
        return found, at[found]

    def set(self, row: int, offer: ZoneOffer, product: Product) -> None:
        """Keep what the product says of this zone."""
        at = self._room(row)
        stock = product.stock if offer.stock is None else offer.stock
        currency = product.currency or ""
        self.present[at] = True
        self.price[at] = -1 if offer.price is None else to_minor(offer.price, currency)
        self.stock[at] = -1 if stock is None else stock
        self.eligible[at] = offer.eligible
        self.sellable[at] = offer.eligible and sells(product.availability, stock)

    def drop(self, row: int) -> None:
        """The product says nothing of this zone any more."""
        at = self.place(row)
        if at is not None:
            self.present[at] = False

    def _room(self, row: int) -> int:
        at = int(np.searchsorted(self.rows[: self.size], row))
        if at < self.size and self.rows[at] == row:
            return at
        if self.size == len(self.rows):
            for name, (_, fill) in _FILLS.items():
                setattr(self, name, grown(getattr(self, name), max(64, 2 * self.size), fill))
        for name in _FILLS:
            column = getattr(self, name)
            # Products mostly come in the order of their rows, so there is seldom much to move.
            column[at + 1 : self.size + 1] = column[at : self.size].copy()
        self.rows[at] = row
        self.size += 1
        return at


class Zones:
    """The overlays of all zones of a shop."""

    def __init__(self) -> None:
        self._zones: dict[str, Zone] = {}
        self._of: dict[int, tuple[str, ...]] = {}

    def find(self, zone: str | None) -> Zone | None:
        """The overlay of a zone; None when nothing differs there."""
        return None if zone is None else self._zones.get(zone)

    def fill(self, row: int, product: Product) -> None:
        """Take over what a product says of its zones."""
        before = self._of.get(row, ())
        for name in before:
            if name not in product.zones:
                self._zones[name].drop(row)
        for name, offer in product.zones.items():
            self._zones.setdefault(name, Zone()).set(row, offer, product)
        if product.zones:
            self._of[row] = tuple(product.zones)
        elif before:
            del self._of[row]
