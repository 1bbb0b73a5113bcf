"""A visitor's recent events read for one request: what was viewed, is in the cart, was bought."""

from collections import OrderedDict
from typing import NamedTuple

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.catalog.columns import Columns
from endcap.core.event import RecentEvent, VisitorState
from endcap.core.times import DAY, MINUTE

from .query import KIND, NO_TRAIL, NOTHING_SHOWN, SESSION_KINDS, Shown, State, Trail

BOUGHT_DAYS = 30
SESSION_MINUTES = 30
MAX_KEPT = 20_000


class History(msgspec.Struct, frozen=True):
    """Events as rows, newest first, each row once (but for `session` and `trail`)."""

    viewed: IntArray = NO_ITEMS
    cart: IntArray = NO_ITEMS
    bought: IntArray = NO_ITEMS
    owned: IntArray = NO_ITEMS
    session: IntArray = NO_ITEMS
    trail: Trail = NO_TRAIL
    shown: Shown = NOTHING_SHOWN


NO_HISTORY = History()


class Read(NamedTuple):
    """A visitor's events with their rows, newest first, and what of a history no clock changes.

    `purchases` are row and time, newest first.
    """

    events: list[RecentEvent]
    impressions: list[RecentEvent]
    products: int
    known: list[tuple[int, RecentEvent]]
    lasting: History
    purchases: list[tuple[int, int]]


class KeptReads:
    """What was read of the visitors met lately, as long as nothing new of them is known."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Read] = OrderedDict()

    def read(self, state: VisitorState, columns: Columns) -> Read:
        """The events read against the catalogue; read anew after an event or a new product."""
        read = self._kept.get(id(state))
        # A fold makes a new list, and holding the old one keeps its identity from being reused.
        if (
            read is not None
            and read.events is state.recent
            and read.impressions is state.shown
            and read.products == len(columns)
        ):
            return read
        read = self._kept[id(state)] = _read(state, columns)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return read


def read_history(
    visitor: VisitorState,
    state: State,
    now: int,
    session: str | None = None,
    session_minutes: int = SESSION_MINUTES,
) -> History:
    """What the visitor did, as far as the catalogue knows the products.

    The cart is every product added and neither removed nor bought since. The current session is
    every event of the session `session` (a pseudonym); without one, events no further than
    `session_minutes` apart, the newest no older than that.
    """
    read = state.kept(KeptReads).read(visitor, state.columns)
    if not read.known:
        return read.lasting
    since = now - BOUGHT_DAYS * DAY
    lasting = read.lasting
    return History(
        lasting.viewed,
        lasting.cart,
        _rows({row: None for row, moment in read.purchases if moment >= since}),
        lasting.owned,
        _session(read.known, now, session, session_minutes * MINUTE),
        lasting.trail,
        lasting.shown,
    )


def _read(state: VisitorState, columns: Columns) -> Read:
    known = [
        (row, event)
        for event in reversed(state.recent)
        if (row := columns.row(event.product)) is not None and event.type in KIND
    ]
    shown = _shown(state, columns) if state.shown else NOTHING_SHOWN
    viewed: dict[int, None] = {}
    cart: dict[int, None] = {}
    settled: set[int] = set()
    purchases: list[tuple[int, int]] = []
    for row, event in known:
        if event.type in ("view", "click"):
            viewed.setdefault(row)
        elif event.type == "cart_add" and row not in settled:
            cart.setdefault(row)
        elif event.type in ("cart_remove", "purchase"):
            settled.add(row)
        if event.type == "purchase":
            purchases.append((row, event.occurred_at))
    lasting = History(shown=shown)
    if known:
        lasting = History(
            viewed=_rows(viewed),
            cart=_rows(cart),
            owned=_rows({row: None for row, _ in purchases}),
            trail=_trail(known),
            shown=shown,
        )
    return Read(state.recent, state.shown, len(columns), known, lasting, purchases)


def _session(
    known: list[tuple[int, RecentEvent]], now: int, session: str | None, pause: int
) -> IntArray:
    if session is not None:
        named = [row for row, e in known if e.session == session and e.type in SESSION_KINDS]
        if named:
            return np.array(named, np.int32)
    # A shop that sends no session with its events still gets one, by the pauses.
    rows: list[int] = []
    last = now
    for row, event in known:
        if last - event.occurred_at > pause:
            break
        last = event.occurred_at
        if event.type in SESSION_KINDS:
            rows.append(row)
    return np.array(rows, np.int32) if rows else NO_ITEMS


def _shown(state: VisitorState, columns: Columns) -> Shown:
    clicked: dict[str, int] = {}
    for event in state.recent:
        if event.type == "click":
            clicked[event.product] = event.occurred_at
    found = [
        (row, event.occurred_at)
        for event in state.shown
        if (row := columns.row(event.product)) is not None
        and event.occurred_at > clicked.get(event.product, -1)
    ]
    return Shown(
        np.array([row for row, _ in found], np.int32),
        np.array([moment for _, moment in found], np.int64),
    )


def _trail(known: list[tuple[int, RecentEvent]]) -> Trail:
    return Trail(
        np.array([row for row, _ in known], np.int32),
        np.array([KIND[event.type] for _, event in known], np.int8),
        np.array([event.occurred_at for _, event in known], np.int64),
    )


def _rows(found: dict[int, None]) -> IntArray:
    return np.array(list(found), np.int32) if found else NO_ITEMS
