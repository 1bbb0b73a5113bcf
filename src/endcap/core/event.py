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
Traffic = Literal["bot", "staff"]
OwnEventType = Literal["served", "exposure", "merge", "shadow"]
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
    """Where the visitor was: shipping zone, kind of device, placement shown.

    `traffic` marks what is no customer: such a visitor counts in no report of that day.
    """

    zone: str | None = None
    device: str | None = None
    placement: str | None = None
    traffic: Traffic | None = None


class EventIn(msgspec.Struct, kw_only=True):
    """An event as a shop sends it.

    `product` names one product, `products` several with quantity and price; a type that needs a
    product takes either. `time` is ISO 8601; left out, it is the time of arrival. `event_id`
    makes sending it again harmless; left out, one is made from the content. `total` is the
    shop's own figure for the whole order; it is kept beside the sum of the lines.
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
    total: Decimal | None = None
    token: str | None = None
    context: Context | None = None


class Line(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One product of a stored event; `price` is in minor units of the event's currency."""

    product: str
    quantity: int = 1
    price: int | None = None


class Origin(msgspec.Struct, gc=False, frozen=True, array_like=True, omit_defaults=True):
    """Where one item of a slate came from.

    `strategies` are who proposed it, the largest share first (or the fallback rung alone);
    `rules` are the rules that moved, pinned or marked it. `team` is the variant that put it there,
    when the slate is mixed from two.
    """

    strategies: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    team: str = ""


class Inputs(msgspec.Struct, gc=False, frozen=True, array_like=True, omit_defaults=True):
    """What a slate was made from, so that it can be made again.

    `request` is the request as msgpack, without the visitor and the session. `kept` and `newest`
    are the number and the latest time of the visitor's events that were read; `catalogue` and
    `tail` the positions in the catalogue's changes and in the log; `at` is the time the slate is of
    (UTC milliseconds; 0: the event's own), where it was made for an earlier request. `offers` are
    those decided on, by name and version.
    """

    request: bytes = b""
    taken: tuple[str, ...] = ()
    placement: int = 0
    snapshot: str = ""
    catalogue: int = 0
    tail: int = 0
    kept: int = 0
    newest: int = 0
    at: int = 0
    offers: tuple[tuple[str, int], ...] = ()


class Served(msgspec.Struct, gc=False, frozen=True, kw_only=True, omit_defaults=True):
    """How a slate came about; part of our own events `served` and `exposure`.

    `slots` run parallel to the event's lines. `micros` is how long the answer took. `offers` are
    the offers the slate carried, `withheld` those kept back from this visitor as the control.
    """

    slots: tuple[Origin, ...] = ()
    fallback: str | None = None
    experiment: str | None = None
    variant: str | None = None
    segments: tuple[str, ...] = ()
    micros: int = 0
    inputs: Inputs | None = None
    offers: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


class Event(msgspec.Struct, gc=False, frozen=True, kw_only=True, omit_defaults=True):
    """An event as the log keeps it. Times are UTC milliseconds; `visitor` is a pseudonym.

    `seq` is 0 until the log has given the event its place. `reported` is the shop's own total in
    minor units; `served` is there on our own events only. A `merge` says that what the pseudonym
    `merged` did is this visitor's too.
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
    reported: int | None = None
    traffic: Traffic | None = None
    served: Served | None = None
    merged: str | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was refused, as it came, with the reason; kept so that it can be replayed.

    `visitor` is the pseudonym of the visitor it names, as far as that can be read from it.
    """

    seq: int = 0
    shop: str
    source: str
    received_at: int
    code: str
    reason: str
    payload: bytes
    visitor: str = ""


class RecentEvent(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """What visitor state keeps of one product of one event."""

    type: str
    product: str
    occurred_at: int
    session: str | None = None


class Totals(msgspec.Struct, gc=False):
    """What a visitor did in all, whatever of it is still among the recent events.

    Times are UTC milliseconds, None for never. `spend` is in minor units by currency, net of
    refunds. `device` and `zone` are the last ones known, each with its time.
    """

    orders: int = 0
    spend: dict[str, int] = {}
    first_seen: int | None = None
    last_seen: int | None = None
    last_order: int | None = None
    device: tuple[int, str] = (0, "")
    zone: tuple[int, str] = (0, "")


class VisitorState(msgspec.Struct, gc=False):
    """A visitor's recent events, oldest first, as folded from the log; bounded in length.

    `shown` are the impressions, kept apart so that they push nothing else out. `degraded` names
    what did not answer when it was read.
    """

    recent: list[RecentEvent] = []
    shown: list[RecentEvent] = []
    degraded: tuple[str, ...] = ()
    totals: Totals = msgspec.field(default_factory=Totals)
