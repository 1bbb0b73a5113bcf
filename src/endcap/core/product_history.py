"""What a product's past says that its present does not: its age, its prices, when it came back."""

from decimal import Decimal

import msgspec

from .product import Availability, sells
from .times import DAY

# A price reduction is measured against the lowest price of the 30 days before it
# (Directive 98/6/EC, article 6a), so that a price raised for a day makes no bargain.
REFERENCE_DAYS = 30
MAX_POINTS = 20


class PricePoint(msgspec.Struct, frozen=True, array_like=True):
    """A price and since when it has been asked (UTC milliseconds)."""

    since: int
    price: Decimal | None
    currency: str | None = None


class ProductHistory(msgspec.Struct, frozen=True, array_like=True):
    """When the product came, when it last came back into stock, and its prices, oldest first."""

    created_at: int
    restocked_at: int = 0
    prices: tuple[PricePoint, ...] = ()

    @property
    def reference(self) -> Decimal | None:
        """The lowest price of the 30 days before the present one.

        None when there was no change, no price, or another currency.
        """
        if len(self.prices) < 2:
            return None
        now = self.prices[-1]
        earliest = now.since - REFERENCE_DAYS * DAY
        lowest: Decimal | None = None
        for point, until in zip(self.prices, self.prices[1:], strict=False):
            if until.since <= earliest:
                continue
            if point.price is None or point.currency != now.currency:
                return None
            lowest = point.price if lowest is None else min(lowest, point.price)
        return lowest


class _Facts(msgspec.Struct):
    price: Decimal | None = None
    currency: str | None = None
    stock: int | None = None
    availability: Availability = "in_stock"


_FACTS = msgspec.json.Decoder(_Facts)
_ENCODE = msgspec.msgpack.Encoder().encode
_HISTORY = msgspec.msgpack.Decoder(ProductHistory)


def read_history(stored: bytes) -> ProductHistory:
    """The history as stored; one that was never kept is empty."""
    return _HISTORY.decode(stored) if stored else ProductHistory(0)


def continued(stored: bytes, body_before: bytes | None, body: bytes, at: int) -> bytes:
    """The history after a write at `at`; `body_before` None stands for a new product."""
    facts = _facts(body)
    point = PricePoint(at, facts.price, facts.currency)
    if body_before is None or not stored:
        return _ENCODE(ProductHistory(at, 0, (point,)))
    history, before = read_history(stored), _facts(body_before)
    back = sells(facts.availability, facts.stock) and not sells(before.availability, before.stock)
    prices = history.prices
    if (facts.price, facts.currency) != (before.price, before.currency):
        prices = _recent((*prices, point), at)
    return _ENCODE(ProductHistory(history.created_at, at if back else history.restocked_at, prices))


def _facts(body: bytes) -> _Facts:
    """What a body says; a store keeps any bytes, so one that is no product says nothing."""
    try:
        return _FACTS.decode(body)
    except msgspec.MsgspecError:
        return _Facts()


def _recent(prices: tuple[PricePoint, ...], at: int) -> tuple[PricePoint, ...]:
    """Without the prices that ended before the days looked back on."""
    ended = at - REFERENCE_DAYS * DAY
    first = 0
    while first + 1 < len(prices) and prices[first + 1].since < ended:
        first += 1
    return prices[first:][-MAX_POINTS:]
