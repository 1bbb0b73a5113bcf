"""The filters of one request: brand, price, rating, stock, attributes, and any expression."""

from decimal import Decimal
from functools import reduce
from typing import Any

import msgspec
import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.catalog.fields import CatalogFields, Rows
from endcap.core.request import AttributeChoice, RecommendationRequest
from endcap.rules.expression import Expression

from .environment import values_of
from .query import Query, State
from .stages import Filter, NamedFilter

# Once so much of the catalogue was asked for, the rest is worked out in one go.
WHOLE_FROM = 8


class Whole:
    """A filter's answer for the whole catalogue, once it pays to have it."""

    __slots__ = ("asked", "mask")

    def __init__(self) -> None:
        self.asked = 0
        self.mask: BoolArray | None = None


class RequestFilter(Filter, frozen=True, kw_only=True):
    """A filter made for one request. `test` takes rows or a stretch of them."""

    whole: Whole = msgspec.field(default_factory=Whole)

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that pass; a long scan is answered from a mask over all products."""
        whole, size = self.whole, len(state.columns)
        if whole.mask is None:
            whole.asked += len(rows)
            if whole.asked * WHOLE_FROM < size or size < 1_000:
                return self.test(rows, query, state)
            whole.mask = self.test(slice(0, size), query, state)
        kept: BoolArray = whole.mask[rows]
        return kept

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Which of the rows pass."""
        raise NotImplementedError


class BrandIs(RequestFilter, frozen=True, kw_only=True):
    """One of some brands."""

    brands: tuple[str, ...]

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Rows of these brands."""
        columns = state.columns
        codes = [code for brand in self.brands if (code := columns.names.find(brand))]
        own = columns.brand[rows]
        if not codes:
            return np.zeros(len(own), np.bool_)
        return reduce(np.logical_or, [own == code for code in codes])

    def explain(self, row: int, query: Query, state: State) -> str:
        """The brand it has."""
        own = state.columns.names.names[state.columns.brand[row]]
        return f"its brand is {own or 'not given'}, asked for was {' or '.join(self.brands)}"


class PriceWithin(RequestFilter, frozen=True, kw_only=True):
    """A price from `low` to `high`, both included, in units of the product's currency."""

    low: Decimal | None = None
    high: Decimal | None = None

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Rows whose price in the zone lies within; one without a price does not."""
        price = CatalogFields(state.columns, query.now, query.zone).price(rows)
        mask = price >= (0.0 if self.low is None else float(self.low))
        if self.high is not None:
            mask &= price <= float(self.high)
        return mask

    def explain(self, row: int, query: Query, state: State) -> str:
        """The price it has."""
        one = np.array([row], np.int32)
        price = float(CatalogFields(state.columns, query.now, query.zone).price(one)[0])
        own = "it has no price" if np.isnan(price) else f"its price is {price:.12g}"
        ends = [f"from {self.low}" if self.low is not None else ""]
        ends.append(f"up to {self.high}" if self.high is not None else "")
        return f"{own}, asked for was {' '.join(end for end in ends if end)}"


class RatedAtLeast(RequestFilter, frozen=True, kw_only=True):
    """An average rating of at least `least`."""

    least: float

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Rows rated so well; an unrated product is not."""
        mask: BoolArray = state.columns.rating[rows] >= self.least
        return mask

    def explain(self, row: int, query: Query, state: State) -> str:
        """The rating it has."""
        rating = float(state.columns.rating[row])
        own = "it has no rating" if np.isnan(rating) else f"its rating is {rating:g}"
        return f"{own}, asked for was {self.least:g} or more"


class InStock(RequestFilter, frozen=True, kw_only=True):
    """Can be sent now: in stock, not on pre-order or back-order."""

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Rows that are in stock in the zone."""
        fields = CatalogFields(state.columns, query.now, query.zone)
        stock = fields.stock(rows)
        flags = fields.flags("in_stock", None, rows)
        mask = np.isnan(stock) | (stock > 0)
        mask &= state.columns.availability[rows] == 1
        return mask if flags is None else mask & (flags == 1)

    def explain(self, row: int, query: Query, state: State) -> str:
        """What it has."""
        product = state.columns.product(row)
        one = np.array([row], np.int32)
        stock = int(state.columns.stock_in(one, query.zone)[0])
        return f"availability is {product.availability}, stock {stock if stock >= 0 else 'unknown'}"


class AttributeIs(RequestFilter, frozen=True, kw_only=True):
    """An attribute that is, or whose list has, one of some values."""

    name: str
    values: tuple[AttributeChoice, ...]

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Rows that have one of the values."""
        fields = CatalogFields(state.columns, query.now, query.zone)
        mask = np.zeros(fields.count(rows), np.bool_)
        texts, lists = fields.texts("", self.name, rows), fields.lists("", self.name, rows)
        numbers = fields.numbers("", self.name, rows)
        flags = fields.flags("", self.name, rows)
        for value in self.values:
            if texts is not None and isinstance(value, str) and (code := texts.table.find(value)):
                mask |= texts.codes == code
            if lists is not None and isinstance(value, str):
                mask |= np.isin(lists.codes, np.array(lists.table.having(value), np.int32))
            number = _number(value)
            if numbers is not None and number is not None:
                mask |= numbers == number
            if flags is not None and str(value).lower() in ("true", "false"):
                mask |= flags == int(str(value).lower() == "true")
        return mask

    def explain(self, row: int, query: Query, state: State) -> str:
        """The value it has."""
        own = state.columns.product(row).attributes.get(self.name)
        asked = " or ".join(str(value) for value in self.values)
        has = f"its {self.name} is {own}" if own is not None else f"it has no {self.name}"
        return f"{has}, asked for was {asked}"


class Matches(RequestFilter, frozen=True, kw_only=True):
    """An expression holds."""

    expression: Any

    def test(self, rows: Rows, query: Query, state: State) -> BoolArray:
        """Rows it is true for."""
        expression: Expression = self.expression
        fields = CatalogFields(state.columns, query.now, query.zone)
        return expression.mask(fields, rows, values_of(query, state))

    def explain(self, row: int, query: Query, state: State) -> str:
        """The expression in words."""
        expression: Expression = self.expression
        return f"it is not so that {expression.english()}"


def request_filters(
    request: RecommendationRequest, expression: Expression | None
) -> tuple[NamedFilter, ...]:
    """The filters a request asks for; `expression` is its compiled `filter`."""
    found: list[NamedFilter] = []
    if request.brand:
        found.append(NamedFilter("brand", BrandIs(brands=tuple(request.brand))))
    if request.price_min is not None or request.price_max is not None:
        price = PriceWithin(low=request.price_min, high=request.price_max)
        found.append(NamedFilter("price", price))
    if request.rating_min is not None:
        found.append(NamedFilter("rating", RatedAtLeast(least=request.rating_min)))
    if request.in_stock:
        found.append(NamedFilter("in_stock", InStock()))
    for name, value in request.attributes.items():
        values = tuple(value) if isinstance(value, list) else (value,)
        found.append(NamedFilter(f"attributes.{name}", AttributeIs(name=name, values=values)))
    if expression is not None:
        found.append(NamedFilter("filter", Matches(expression=expression)))
    return tuple(found)


def _number(value: AttributeChoice) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None
