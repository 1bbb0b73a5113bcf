"""What one request is about, with every id already turned into a catalogue row."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, ByteArray, IntArray, LongArray
from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.merchant import NO_CORRECTIONS, Corrections
from endcap.relations.counters import Counters
from endcap.relations.joined import Joined
from endcap.relations.session_pool import SessionPool
from endcap.relations.tail import Tail

from .merchant import Merchant

if TYPE_CHECKING:
    from .stages import NamedFilter


T = TypeVar("T")


class State(msgspec.Struct, frozen=True, dict=True):
    """What the request path reads: the live catalogue, the relations joined to it, and the tail."""

    columns: Columns
    joined: Joined
    cards: Cards
    tail: Tail = msgspec.field(default_factory=Tail)
    merchant: Merchant = msgspec.field(default_factory=Merchant)

    @cached_property
    def sessions(self) -> SessionPool:
        """Sessions to compare a visitor's own with, of the snapshot and of the tail."""
        return SessionPool(self.joined, self.tail.sessions)

    @cached_property
    def _kept(self) -> dict[type, Any]:
        return {}

    def kept(self, kind: type[T]) -> T:
        """What requests before this one keep for it, one of each kind, empty at first.

        It goes when a new snapshot comes, or after an erasure; each kind bounds itself.
        """
        found: T | None = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = kind()
        return found

    @property
    def counters(self) -> Counters:
        """Decayed counts of the products, up to the newest event."""
        return self.tail.counters


# What a visitor did with a product, as numbered in a trail.
KINDS = (
    "view",
    "click",
    "cart_add",
    "cart_remove",
    "wishlist_add",
    "purchase",
    "refund",
    "rate",
    "dismiss",
)
KIND = {name: number for number, name in enumerate(KINDS)}
SESSION_KINDS = frozenset({"view", "click", "cart_add"})


class Trail(NamedTuple):
    """A visitor's recent events as arrays, newest first: row, number in KINDS, UTC milliseconds.

    One entry per product of an event; a product may occur several times.
    """

    rows: IntArray
    kinds: ByteArray
    times: LongArray


NO_TRAIL = Trail(NO_ITEMS, np.empty(0, np.int8), np.empty(0, np.int64))


class Shown(NamedTuple):
    """Impressions of this visitor since the product was last clicked: rows and times, unordered."""

    rows: IntArray
    times: LongArray


NOTHING_SHOWN = Shown(NO_ITEMS, np.empty(0, np.int64))


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a visitor as a whole; a stranger has the defaults.

    `spend` is in minor units of `currency`, the shop's, net of refunds; the days count back from
    the request, None when there is nothing to count from; `device` and `zone` are the last seen.
    """

    orders: int = 0
    spend: int = 0
    days_since_seen: float | None = None
    days_since_first_seen: float | None = None
    days_since_order: float | None = None
    favourite_category: str | None = None
    currency: str = ""
    device: str | None = None
    zone: str | None = None
    tags: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


STRANGER = Traits()


class Query(msgspec.Struct, kw_only=True):
    """One request, resolved.

    Row arrays hold each row once, but for `session` and `trail`, which keep repeats. `viewed` is
    newest first; `bought` are purchases of the last 30 days, `owned` all purchases known;
    `session` what was viewed, clicked or put in the cart in the current session, newest first;
    `taken` is what a page above already shows. `filters` are the request's own (its category,
    prices, expression …); `visitor` is the pseudonym, empty for a stranger; `search` is the search
    term; `now` is UTC milliseconds; `corrections` are the visitor's own of their profile; `values`
    are what expressions read of the request, once they were asked for. `offers` are those decided
    on when the slate was made before (None: it is made now), `chosen` is the decision once made.
    """

    now: int
    count: int
    seeds: IntArray = NO_ITEMS
    cart: IntArray = NO_ITEMS
    viewed: IntArray = NO_ITEMS
    bought: IntArray = NO_ITEMS
    owned: IntArray = NO_ITEMS
    session: IntArray = NO_ITEMS
    trail: Trail = NO_TRAIL
    shown: Shown = NOTHING_SHOWN
    excluded: IntArray = NO_ITEMS
    taken: IntArray = NO_ITEMS
    category: str | None = None
    zone: str | None = None
    device: str | None = None
    visitor: str = ""
    search: str | None = None
    sort: str | None = None
    filters: "tuple[NamedFilter, ...]" = ()
    traits: Traits = STRANGER
    corrections: Corrections = NO_CORRECTIONS
    placement: str = ""
    values: Any = None
    offers: tuple[tuple[str, int], ...] | None = None
    chosen: Any = None

    def anchors(self, around: str) -> tuple[IntArray, bool]:
        """The products to start from, and whether they stand newest first.

        `around` is `seed`, `cart`, `viewed`, `bought` or `owned`; `auto` takes the first of seed,
        cart and viewed that is not empty.
        """
        if around == "auto":
            around = "seed" if len(self.seeds) else "cart" if len(self.cart) else "viewed"
        rows: IntArray = getattr(self, "seeds" if around == "seed" else around)
        return rows, around in ("viewed", "bought", "owned")
