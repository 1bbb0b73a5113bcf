"""What one request is about, with every id already turned into a catalogue row."""

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, IntArray
from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.event import VisitorState
from endcap.core.times import DAY
from endcap.relations.joined import Joined


class State(msgspec.Struct, frozen=True):
    """What the request path reads: the live catalogue and the relations joined to it."""

    columns: Columns
    joined: Joined
    cards: Cards


class Query(msgspec.Struct, kw_only=True):
    """One request, resolved.

    Row arrays hold each row once. `viewed` is newest first; `bought` are purchases of the last 30
    days; `taken` is what a page above already shows. `now` is UTC milliseconds.
    """

    now: int
    count: int
    seeds: IntArray = NO_ITEMS
    cart: IntArray = NO_ITEMS
    viewed: IntArray = NO_ITEMS
    bought: IntArray = NO_ITEMS
    excluded: IntArray = NO_ITEMS
    taken: IntArray = NO_ITEMS
    category: str | None = None
    zone: str | None = None

    def anchors(self, around: str) -> tuple[IntArray, bool]:
        """The products to start from, and whether they stand newest first.

        `around` is `seed`, `cart`, `viewed` or `bought`; `auto` takes the first of seed, cart and
        viewed that is not empty.
        """
        if around == "auto":
            around = "seed" if len(self.seeds) else "cart" if len(self.cart) else "viewed"
        rows: IntArray = getattr(self, "seeds" if around == "seed" else around)
        return rows, around in ("viewed", "bought")


class History(msgspec.Struct, frozen=True):
    """A visitor's recent events read as product lists, newest first, each product once."""

    viewed: list[str]
    cart: list[str]
    bought: list[str]


def read_history(state: VisitorState, now: int, bought_days: int = 30) -> History:
    """What the visitor viewed, has in the cart, and bought in the last days.

    The cart is every product added and neither removed nor bought since.
    """
    viewed: dict[str, None] = {}
    cart: dict[str, None] = {}
    bought: dict[str, None] = {}
    settled: set[str] = set()
    for event in reversed(state.recent):
        if event.type in ("view", "click"):
            viewed.setdefault(event.product)
        elif event.type == "cart_add" and event.product not in settled:
            cart.setdefault(event.product)
        elif event.type in ("cart_remove", "purchase"):
            settled.add(event.product)
        if event.type == "purchase" and event.occurred_at >= now - bought_days * DAY:
            bought.setdefault(event.product)
    return History(list(viewed), list(cart), list(bought))


class Marks:
    """A reusable row of flags over the catalogue, cleared by the caller after use."""

    def __init__(self) -> None:
        self._flags: BoolArray = np.zeros(0, np.bool_)

    def sized(self, rows: int) -> BoolArray:
        """All-false flags for at least `rows` rows."""
        if len(self._flags) < rows:
            self._flags = np.zeros(max(rows, 2 * len(self._flags)), np.bool_)
        return self._flags
