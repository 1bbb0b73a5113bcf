"""Events: what the shop sends, what the log keeps, and what was refused."""

from decimal import Decimal
from typing import Literal, get_args

import msgspec

ShopEventType = Literal[
    "view",
    "search",
    "cart_add",
    "cart_remove",
    "wishlist_add",
    "purchase",
    "refund",
    "rate",
    "impression",
    "click",
    "dismiss",
]
OwnEventType = Literal["served", "exposure"]
EventType = Literal[ShopEventType, OwnEventType]
SHOP_EVENT_TYPES: tuple[str, ...] = get_args(ShopEventType)
OWN_EVENT_TYPES: tuple[str, ...] = get_args(OwnEventType)
MAX_BATCH = 2_500
MAX_LINES = 5_000


class LineIn(msgspec.Struct, kw_only=True):
    """One product of an event; `price` is per unit, in the event's currency."""

    id: str
    quantity: int = 1
    price: Decimal | None = None


class Context(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the visitor was: shipping zone, kind of device, placement shown."""

    zone: str | None = None
    device: str | None = None
    placement: str | None = None


class EventIn(msgspec.Struct, kw_only=True):
    """An event as a shop sends it.

    `product` names one product, `products` several with quantity and price; a type that needs a
    product takes either. `time` is ISO 8601; left out, it is the time of arrival. `event_id`
    makes sending it again harmless; left out, one is made from the content.
    """

    type: ShopEventType
    visitor: str
    event_id: str | None = None
    session: str | None = None
    product: str | None = None
    products: list[LineIn] = []
    quantity: int = 1
    price: Decimal | None = None
    currency: str | None = None
    time: str | None = None
    query: str | None = None
    rating: float | None = None
    order: str | None = None
    token: str | None = None
    context: Context | None = None


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One product of a stored event; `price` is in minor units of the event's currency."""

    product: str
    quantity: int = 1
    price: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event as the log keeps it. Times are UTC milliseconds; `visitor` is a pseudonym.

    `seq` is 0 until the log has given the event its place. `payload_hash` tells a true repeat
    from another event that reuses an id.
    """

    seq: int = 0
    shop: str
    source: str
    event_id: str
    type: EventType
    visitor: str
    session: str | None = None
    occurred_at: int
    received_at: int
    lines: tuple[Line, ...] = ()
    currency: str | None = None
    query: str | None = None
    rating: float | None = None
    order: str | None = None
    token: str | None = None
    zone: str | None = None
    device: str | None = None
    placement: str | None = None
    clamped: bool = False


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was refused, as it came, with the reason; kept so that it can be replayed."""

    seq: int = 0
    shop: str
    source: str
    received_at: int
    code: str
    reason: str
    payload: bytes


class RecentEvent(msgspec.Struct, frozen=True, array_like=True):
    """What visitor state keeps of one product of one event."""

    type: str
    product: str
    occurred_at: int
    session: str | None = None


class VisitorState(msgspec.Struct):
    """A visitor's recent events, oldest first, as folded from the log; bounded in length."""

    recent: list[RecentEvent] = []
