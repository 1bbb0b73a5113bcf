"""The catalogue as the expression language reads it: columns by field name."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from endcap.core.product import AVAILABILITIES
from endcap.core.times import DAY
from endcap.rules.columns import Coded

from .arrays import ByteArray, FloatArray, IntArray, LongArray
from .columns import Columns

Rows = IntArray | slice


class CatalogFields:
    """The fields of all products at one time and in one zone; prices are in units of currency."""

    def __init__(self, columns: Columns, now: int, zone: str | None = None) -> None:
        self._columns = columns
        self._now = now
        self._ids = Ids(columns)
        self._zone = zone if columns.zones.find(zone) is not None else None

    def count(self, rows: Rows) -> int:
        """How many rows these are."""
        return rows.stop - rows.start if isinstance(rows, slice) else len(rows)

    def numbers(self, name: str, key: str | None, rows: Rows) -> FloatArray | None:
        """Numbers, NaN where missing."""
        if key is not None:
            numbers: FloatArray | None = self._attribute("numbers", key, rows)
            return numbers
        read = _NUMBERS.get(name)
        return None if read is None else read(self, rows)

    def flags(self, name: str, key: str | None, rows: Rows) -> ByteArray | None:
        """1, 0, and -1 where missing."""
        if key is not None:
            flags: ByteArray | None = self._attribute("flags", key, rows)
            return flags
        if name != "in_stock":
            return None
        columns = self._columns
        if self._zone is None:
            return columns.sellable[rows].view(np.int8)
        return columns.sellable_in(_listed(rows), self._zone).view(np.int8)

    def texts(self, name: str, key: str | None, rows: Rows) -> Coded | None:
        """Texts, 0 where missing."""
        columns = self._columns
        if key is not None:
            attribute = columns.attributes.find(key)
            if attribute is None or attribute.texts is None:
                return None
            return Coded(attribute.texts.read(rows), attribute.text_table)
        read = _TEXTS.get(name)
        return None if read is None else read(self, rows)

    def named(self, name: str, rows: Rows) -> Coded:
        """A column of codes of the catalogue's names."""
        return Coded(getattr(self._columns, name)[rows], self._columns.names)

    def group(self, rows: Rows) -> Coded:
        """Groups."""
        return Coded(self._columns.group[rows], self._columns.groups)

    def category(self, rows: Rows) -> Coded:
        """Main categories."""
        columns = self._columns
        return Coded(columns.categories[rows, 0], columns.tree.symbols)

    def availability(self, rows: Rows) -> Coded:
        """Availability."""
        return Coded(self._columns.availability[rows].astype(np.int32), _AVAILABILITY)

    def identity(self, rows: Rows) -> Coded:
        """Ids."""
        return Coded(_listed(rows) + np.int32(1), self._ids)

    def lists(self, name: str, key: str | None, rows: Rows) -> Coded | None:
        """Lists of texts, 0 where empty or missing."""
        columns = self._columns
        if key is not None:
            attribute = columns.attributes.find(key)
            if attribute is None or attribute.lists is None:
                return None
            return Coded(attribute.lists.read(rows), attribute.list_table)
        if name == "tags":
            return Coded(columns.tags[rows], columns.lists)
        if name == "categories":
            return Coded(columns.category_lists[rows], columns.lists)
        return None

    def price(self, rows: Rows) -> FloatArray:
        """Prices in units of the currency, NaN for none."""
        columns = self._columns
        if self._zone is None:
            own: FloatArray = columns.units[rows]
            return own
        return self._units(columns.price_in(_listed(rows), self._zone), rows)

    def money(self, name: str, rows: Rows) -> FloatArray:
        """Another amount in units of the currency, NaN for none."""
        return self._units(getattr(self._columns, name)[rows], rows)

    def discount(self, rows: Rows) -> FloatArray:
        """Part of the list price taken off; 0 where it is not lower than the list price."""
        price, before = self._minor(rows), self._columns.list_price[rows].astype(np.float64)
        reduced = (price >= 0) & (before > price)
        off = np.divide(before - price, before, out=np.zeros(len(price)), where=reduced)
        off[price < 0] = np.nan
        return off

    def margin(self, rows: Rows) -> FloatArray:
        """Part of the price that stays after the cost; missing without a cost or a price."""
        price, cost = self._minor(rows), self._columns.cost[rows].astype(np.float64)
        known = (price > 0) & (cost >= 0)
        kept: FloatArray = np.full(len(price), np.nan)
        np.divide(price - cost, price, out=kept, where=known)
        return kept

    def stock(self, rows: Rows) -> FloatArray:
        """Pieces left, NaN where they are not counted."""
        columns = self._columns
        if self._zone is None:
            stock = columns.stock[rows]
        else:
            stock = columns.stock_in(_listed(rows), self._zone)
        counted: FloatArray = np.where(stock < 0, np.nan, stock)
        return counted

    def rating(self, rows: Rows) -> FloatArray:
        """Average ratings, NaN for none."""
        own: FloatArray = self._columns.rating[rows]
        return own

    def rating_count(self, rows: Rows) -> FloatArray:
        """Numbers of ratings."""
        counts: FloatArray = self._columns.rating_count[rows].astype(np.float64)
        return counts

    def age_days(self, rows: Rows) -> FloatArray:
        """Days since the product was first seen; missing where that is not known."""
        created = self._columns.created_at[rows]
        return np.where(created > 0, (self._now - created) / DAY, np.nan)

    def _minor(self, rows: Rows) -> FloatArray:
        columns = self._columns
        if self._zone is None:
            own: FloatArray = columns.price[rows].astype(np.float64)
            return own
        return columns.price_in(_listed(rows), self._zone).astype(np.float64)

    def _units(self, minor: LongArray, rows: Rows) -> FloatArray:
        columns = self._columns
        scales = set(columns.currencies.values())
        if len(scales) == 1:
            units = minor / scales.pop()
        else:
            codes = columns.currency[rows]
            units = minor / 1.0
            for code, scale in columns.currencies.items():
                here = codes == code
                units[here] = minor[here] / scale
        units[minor < 0] = np.nan
        return units

    def _attribute(self, shape: str, key: str, rows: Rows) -> Any:
        attribute = self._columns.attributes.find(key)
        column = getattr(attribute, shape) if attribute is not None else None
        return None if column is None else column.read(rows)


class Ids:
    """Product ids as a table: the number of an id is its row + 1."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns) + 1

    def value(self, code: int) -> str:
        """The id of a number."""
        return self._columns.ids[code - 1] if code else ""

    def find(self, product: str) -> int | None:
        """The number of an id."""
        row = self._columns.row(product)
        return None if row is None else row + 1

    def having(self, item: str) -> list[int]:
        """Ids have no items."""
        return []


class _Availability:
    """The few words of availability as a table."""

    def __len__(self) -> int:
        return len(AVAILABILITIES) + 1

    def value(self, code: int) -> str:
        return AVAILABILITIES[code - 1] if code else ""

    def find(self, word: Any) -> int | None:
        return AVAILABILITIES.index(word) + 1 if word in AVAILABILITIES else None

    def having(self, item: Any) -> Sequence[int]:
        return []


_AVAILABILITY = _Availability()
_TEXTS: dict[str, Callable[[CatalogFields, Rows], Coded]] = {
    "id": CatalogFields.identity,
    "group": CatalogFields.group,
    "brand": lambda fields, rows: fields.named("brand", rows),
    "currency": lambda fields, rows: fields.named("currency", rows),
    "category": CatalogFields.category,
    "availability": CatalogFields.availability,
}
_NUMBERS: dict[str, Callable[[CatalogFields, Rows], FloatArray]] = {
    "price": CatalogFields.price,
    "list_price": lambda fields, rows: fields.money("list_price", rows),
    "cost": lambda fields, rows: fields.money("cost", rows),
    "discount": CatalogFields.discount,
    "margin": CatalogFields.margin,
    "rating": CatalogFields.rating,
    "rating_count": CatalogFields.rating_count,
    "stock": CatalogFields.stock,
    "age_days": CatalogFields.age_days,
}


def _listed(rows: Rows) -> IntArray:
    return np.arange(rows.start, rows.stop, dtype=np.int32) if isinstance(rows, slice) else rows
