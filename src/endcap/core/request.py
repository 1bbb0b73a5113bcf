"""What a shop asks: one slate, or a page of several."""

from decimal import Decimal
from typing import Literal

import msgspec

from .consent import UNKNOWN, Consent

MAX_COUNT = 100
MAX_PAGE = 1_000
AttributeChoice = str | float | bool
"""An attribute value to look for; texts like `7` or `true` mean the number and the yes too."""


class RecommendationRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One slate to make.

    `seed` are the products the placement is about, `cart` what is in the cart now; left out, the
    cart is the one known from events. `count` None means the placement's own number of slots.
    `fields` are the product fields to return; None means a ready set.

    Only products that pass are shown: of one of the brands, with a price from `price_min` to
    `price_max` (in units of their currency, as in the zone), rated `rating_min` or better, with
    the attributes (a list means any of its values), and with `filter` (an expression) true.
    `in_stock` true wants what can be sent at once, false lets in what is out of stock. `sort`
    orders by something else than relevance. `search` is what the visitor searched for.

    `personalization` `off` answers as to a visitor never seen; so does a `consent` that denies
    personalisation. What the request leaves open is as the visitor chose before.

    `as_of` looks at another time (ISO 8601): dates, seasons and schedules are those of then, stock
    and prices those of now. Such a slate is a look ahead: it is not logged.
    """

    placement: str
    visitor: str | None = None
    session: str | None = None
    seed: list[str] = []
    cart: list[str] | None = None
    exclude: list[str] = []
    count: int | None = None
    category: str | None = None
    zone: str | None = None
    device: str | None = None
    fields: list[str] | None = None
    explain: bool = False
    brand: list[str] = []
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    rating_min: float | None = None
    in_stock: bool | None = None
    attributes: dict[str, AttributeChoice | list[AttributeChoice]] = {}
    sort: str | None = None
    filter: str | None = None
    search: str | None = None
    personalization: Literal["on", "off"] = "on"
    consent: Consent = UNKNOWN
    as_of: str | None = None


class PageRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Several slates in one call; `distinct` keeps a product from showing twice on the page.

    With `distinct`, requests are de-duplicated per visitor, in the order given.
    """

    requests: list[RecommendationRequest]
    distinct: bool = True
