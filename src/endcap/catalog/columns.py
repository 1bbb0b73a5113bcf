"""The catalogue in memory: one array per field, one row per product, changed live.

A product keeps its row for the life of the process; a deleted one stays as a dead row, so that a
row number is a stable name. All changes are made on one thread (the event loop's).
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import msgspec
import numpy as np

from endcap.core.ids import DEFAULT_SHOP
from endcap.core.money import exponent, to_minor
from endcap.core.product import AVAILABILITIES, Product, ProductDocument, sells
from endcap.core.product_history import read_history
from endcap.core.times import parse_time

from .arrays import (
    BoolArray,
    ByteArray,
    FloatArray,
    IntArray,
    Lists,
    LongArray,
    Symbols,
    grown,
)
from .arrivals import Arrivals
from .attributes import Attributes
from .bodies import Bodies
from .categories import CategoryTree
from .changes import Changes
from .links import LinkIndex
from .zones import Zones

FOREVER = 2**62
_DECODER = msgspec.json.Decoder(Product)
_FILLS: dict[str, tuple[type[Any], Any]] = {
    "alive": (np.bool_, False),
    "sellable": (np.bool_, False),
    "price": (np.int64, -1),
    "list_price": (np.int64, -1),
    "units": (np.float64, np.nan),
    "cost": (np.int64, -1),
    "currency": (np.int32, 0),
    "rating": (np.float64, np.nan),
    "rating_count": (np.int32, 0),
    "stock": (np.int32, -1),
    "brand": (np.int32, 0),
    "group": (np.int32, 0),
    "availability": (np.int8, 0),
    "tags": (np.int32, 0),
    "category_lists": (np.int32, 0),
    "available_from": (np.int64, 0),
    "available_until": (np.int64, FOREVER),
    "version": (np.int32, 0),
    "created_at": (np.int64, 0),
    "restocked_at": (np.int64, 0),
    "arrived_at": (np.int64, 0),
    "price_since": (np.int64, 0),
    "price_before": (np.int64, -1),
}


class Columns:
    """The columns of one shop.

    `price`, `list_price` and `cost` are minor units of `currency`, -1 for none, and `units` the
    price in whole units, NaN for none; `stock` -1 for not counted; `brand` and `currency` are
    codes of `names` (0: none), `group` of `groups`, `availability` counts AVAILABILITIES from 1;
    `tags` and `category_lists` are numbers of `lists`; `categories` has one column per path of a
    product, 0 where it has fewer. `sellable` says whether stock and availability allow
    a sale now; dates are checked at the request. `zones` has what differs by shipping zone and
    `links` the links made by hand. `arrived_at` is when it came or went on sale, the later
    of the two, and `opened_at` when the first product came. `price_before` is the lowest price of
    the 30 days before `price_since`, -1 for none.
    """

    price: LongArray
    list_price: LongArray
    currency: IntArray
    units: FloatArray
    cost: LongArray
    rating: FloatArray
    rating_count: IntArray
    stock: IntArray
    brand: IntArray
    group: IntArray
    availability: ByteArray
    tags: IntArray
    category_lists: IntArray
    available_from: LongArray
    available_until: LongArray
    version: IntArray
    created_at: LongArray
    restocked_at: LongArray
    arrived_at: LongArray
    price_since: LongArray
    price_before: LongArray
    alive: BoolArray
    sellable: BoolArray
    categories: IntArray

    def __init__(self, shop: str = DEFAULT_SHOP) -> None:
        self.shop = shop
        self.ids: list[str] = []
        self.names = Symbols()
        self.groups = Symbols()
        self.lists = Lists()
        self.attributes = Attributes()
        self.currencies: dict[int, int] = {}
        self.tree = CategoryTree()
        self.zones = Zones()
        self.links = LinkIndex()
        self.arrivals = Arrivals()
        self.change = 0
        self.changes = Changes()
        self.opened_at = FOREVER
        self.dated = False  # whether any product has dates
        self.live = 0
        self.bodies = Bodies()
        self._rows: dict[str, int] = {}
        self._capacity = 0
        for name, (kind, _) in _FILLS.items():
            setattr(self, name, np.empty(0, kind))
        self.categories = np.empty((0, 1), np.int32)

    def __len__(self) -> int:
        return len(self.ids)

    def parts(self) -> dict[str, Any]:
        """Everything but the bodies and what follows from the ids."""
        own = ("bodies", "changes", "_rows")
        return {k: v for k, v in vars(self).items() if k not in own}

    @classmethod
    def of_parts(cls, parts: dict[str, Any], bodies: Bodies) -> "Columns":
        """The columns that gave the parts."""
        columns = cls()
        vars(columns).update(parts)
        columns.bodies = bodies
        columns._rows = {product: row for row, product in enumerate(columns.ids)}
        return columns

    def row(self, product: str) -> int | None:
        """The row of a product id, also of a deleted one; None for an id never seen."""
        return self._rows.get(product)

    def rows(self, products: Iterable[str]) -> IntArray:
        """Rows of the ids that are known, in the order given."""
        known = self._rows
        return np.array([known[p] for p in products if p in known], np.int32)

    def rows_or_none(self, products: Sequence[str]) -> IntArray:
        """The row of each id, -1 for those never seen."""
        found = map(self._rows.get, products, repeat(-1))
        return np.fromiter(found, np.int32, len(products))

    def body(self, row: int) -> bytes:
        """The product's JSON as stored."""
        return self.bodies[row]

    def product(self, row: int) -> Product:
        """The product, decoded."""
        return _DECODER.decode(self.bodies[row])

    def apply(self, documents: Iterable[ProductDocument]) -> None:
        """Take in documents in the order of their changes."""
        for document in documents:
            self._apply(document)

    def in_category(self, rows: IntArray, path: str) -> BoolArray:
        """Which rows have a category at `path` or below it."""
        subtree = self.tree.subtree(path)
        if subtree is None:
            return np.zeros(len(rows), np.bool_)
        found: BoolArray = np.any(subtree[self.categories[rows]], axis=1)
        return found

    def newest_first(self) -> IntArray:
        """All rows, the last to arrive first."""
        return self.arrivals.newest_first(self.arrived_at[: len(self.ids)])

    def sellable_in(self, rows: IntArray, zone: str | None) -> BoolArray:
        """Which rows can be sold in the zone: eligible there, and its stock allows it."""
        mask: BoolArray = self.sellable[rows]
        overlay = self.zones.find(zone)
        if overlay is not None:
            here, there = overlay.places(rows)
            mask[here] = overlay.sellable[there] & self.alive[rows[here]]
        return mask

    def price_in(self, rows: IntArray, zone: str | None) -> LongArray:
        """Prices in the zone in minor units, -1 for none."""
        prices: LongArray = self.price[rows]
        overlay = self.zones.find(zone)
        if overlay is not None:
            here, there = overlay.places(rows)
            own = overlay.price[there]
            prices[here] = np.where(own >= 0, own, prices[here])
        return prices

    def stock_in(self, rows: IntArray, zone: str | None) -> IntArray:
        """Stock in the zone, -1 where it is not counted."""
        stock: IntArray = self.stock[rows]
        overlay = self.zones.find(zone)
        if overlay is not None:
            here, there = overlay.places(rows)
            stock[here] = overlay.stock[there]
        return stock

    def _apply(self, document: ProductDocument) -> None:
        row = self._rows.get(document.id)
        if row is None:
            row = self._add(document.id)
        self.change = max(self.change, document.change)
        self.changes.add(row)
        self.live += int(not document.deleted) - int(self.alive[row])
        self.bodies[row] = document.body
        self.version[row] = document.version
        self.alive[row] = not document.deleted
        if document.deleted:
            self.sellable[row] = False
            self.links.clear(row)
        else:
            product = _DECODER.decode(document.body)
            self._fill(row, product)
            self._fill_history(row, document, product.currency or "")

    def _add(self, product: str) -> int:
        row = len(self.ids)
        if row == self._capacity:
            self._capacity = max(1024, self._capacity * 2)
            for name, (_, fill) in _FILLS.items():
                setattr(self, name, grown(getattr(self, name), self._capacity, fill))
            self.categories = grown(self.categories, self._capacity, 0)
            self.attributes.grow(self._capacity)
        self.ids.append(product)
        self.arrivals.changed(row)
        self.bodies.append(b"")
        self._rows[product] = row
        return row

    def _fill(self, row: int, product: Product) -> None:
        currency = product.currency or ""
        self.currency[row] = code = self.names.code(currency)
        scale = self.currencies.setdefault(code, 10 ** exponent(currency))
        for name in ("price", "list_price", "cost"):
            amount = getattr(product, name)
            getattr(self, name)[row] = -1 if amount is None else to_minor(amount, currency)
        self.units[row] = np.nan if product.price is None else int(self.price[row]) / scale
        self.rating[row] = np.nan if product.rating is None else product.rating
        self.rating_count[row] = product.rating_count or 0
        self.stock[row] = -1 if product.stock is None else product.stock
        self.brand[row] = self.names.code(product.brand)
        self.group[row] = self.groups.code(product.group)
        self.availability[row] = 1 + AVAILABILITIES.index(product.availability)
        self.tags[row] = self.lists.code(tuple(product.tags))
        self.category_lists[row] = self.lists.code(tuple(product.categories))
        begin, end = product.available_from, product.available_until
        self.dated = self.dated or bool(begin or end)
        self.available_from[row] = parse_time(begin) if begin else 0
        self.available_until[row] = parse_time(end) if end else FOREVER
        self.sellable[row] = sells(product.availability, product.stock)
        self.fill_parts(row, product)
        self._fill_categories(row, product.categories)

    def fill_parts(self, row: int, product: Product) -> None:
        """Fill what is kept by row but not in arrays over all rows."""
        self.zones.fill(row, product)
        self.links.fill(row, product)
        self.attributes.fill(row, product)

    def _fill_history(self, row: int, document: ProductDocument, currency: str) -> None:
        history = read_history(document.history)
        before = history.reference
        self.created_at[row] = history.created_at
        if history.created_at:
            self.opened_at = min(self.opened_at, history.created_at)
        arrived = max(history.created_at, int(self.available_from[row]))
        if arrived != self.arrived_at[row]:
            self.arrived_at[row] = arrived
            self.arrivals.changed(row)
        self.restocked_at[row] = history.restocked_at
        self.price_since[row] = history.prices[-1].since if history.prices else 0
        self.price_before[row] = -1 if before is None else to_minor(before, currency)

    def _fill_categories(self, row: int, paths: list[str]) -> None:
        width = self.categories.shape[1]
        if len(paths) > width:
            wider = np.zeros((self._capacity, len(paths)), np.int32)
            wider[:, :width] = self.categories
            self.categories = wider
        self.categories[row] = 0
        for place, path in enumerate(paths):
            self.categories[row, place] = self.tree.code(path)
