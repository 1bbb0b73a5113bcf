"""The product as the shop sends and gets it, and as the store keeps it."""

from decimal import Decimal
from typing import Literal, get_args

import msgspec

Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder", "discontinued"]
AVAILABILITIES: tuple[str, ...] = get_args(Availability)
SELLABLE = frozenset({"in_stock", "preorder", "backorder"})


def sells(availability: Availability, stock: int | None) -> bool:
    """Whether stock and availability allow a sale.

    A pre-order or back-order is sold before it is in stock; the others need stock.
    """
    return availability in SELLABLE and (availability in ("preorder", "backorder") or stock != 0)


AttributeValue = str | int | float | bool | list[str]


class ZoneOffer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What differs in one shipping zone; a field left out is as in the product itself."""

    price: Decimal | None = None
    stock: int | None = None
    eligible: bool = True


class BundleMember(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One product inside a bundle."""

    id: str
    quantity: int = 1


class Links(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Links made by hand; they go before everything learnt."""

    accessories: list[str] = []
    upgrades: list[str] = []
    bundle: list[BundleMember] = []


class Product(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A thing the shop sells.

    `categories` are paths such as `Home > Kitchen`. Prices are decimal strings (or JSON numbers)
    in `currency`. `stock` None means the shop does not count it. `group` joins variants.
    """

    id: str
    title: str = ""
    description: str | None = None
    url: str | None = None
    image: str | None = None
    brand: str | None = None
    categories: list[str] = []
    price: Decimal | None = None
    list_price: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    stock: int | None = None
    availability: Availability = "in_stock"
    group: str | None = None
    attributes: dict[str, AttributeValue] = {}
    tags: list[str] = []
    zones: dict[str, ZoneOffer] = {}
    available_from: str | None = None
    available_until: str | None = None
    links: Links | None = None


class ProductDocument(msgspec.Struct, frozen=True):
    """One version of a product as the store keeps it.

    `body` is the canonical JSON of `Product`; a deleted product keeps its row with `deleted` set
    and its last body. `change` is the position in the shop's stream of catalogue changes.
    `history` is what `core.product_history` keeps of the versions before.
    """

    id: str
    version: int
    change: int
    updated_at: int
    deleted: bool
    body: bytes
    history: bytes = b""


class ProductWrite(msgspec.Struct, frozen=True):
    """One change asked of the catalogue; `expected` is the version it must still have, if given.

    `body` None deletes. `expected` 0 means: must not exist.
    """

    id: str
    body: bytes | None
    expected: int | None = None
