"""A visitor's recent events read for one request: what was viewed, is in the cart, was bought."""

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.catalog.columns import Columns
from endcap.core.event import RecentEvent, VisitorState
from endcap.core.times import DAY, MINUTE

from .query import KIND, NO_TRAIL, NOTHING_SHOWN, SESSION_KINDS, Shown, Trail

BOUGHT_DAYS = 30
SESSION_MINUTES = 30


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


def read_history(
    state: VisitorState,
    columns: Columns,
    now: int,
    session: str | None = None,
    session_minutes: int = SESSION_MINUTES,
) -> History:
    """What the visitor did, as far as the catalogue knows the products.

    The cart is every product added and neither removed nor bought since. The current session is
    every event of the session `session` (a pseudonym); without one, events no further than
    `session_minutes` apart, the newest no older than that.
    """
    known = [
        (row, event)
        for event in reversed(state.recent)
        if (row := columns.row(event.product)) is not None and event.type in KIND
    ]
    shown = _shown(state, columns) if state.shown else NOTHING_SHOWN
    if not known:
        return History(shown=shown)
    viewed: dict[int, None] = {}
    cart: dict[int, None] = {}
    bought: dict[int, None] = {}
    owned: dict[int, None] = {}
    settled: set[int] = set()
    for row, event in known:
        if event.type in ("view", "click"):
            viewed.setdefault(row)
        elif event.type == "cart_add" and row not in settled:
            cart.setdefault(row)
        elif event.type in ("cart_remove", "purchase"):
            settled.add(row)
        if event.type == "purchase":
            owned.setdefault(row)
            if event.occurred_at >= now - BOUGHT_DAYS * DAY:
                bought.setdefault(row)
    return History(
        viewed=_rows(viewed),
        cart=_rows(cart),
        bought=_rows(bought),
        owned=_rows(owned),
        session=_session(known, now, session, session_minutes * MINUTE),
        trail=_trail(known),
        shown=shown,
    )


def _session(
    known: list[tuple[int, RecentEvent]], now: int, session: str | None, pause: int
) -> IntArray:
    named = [row for row, e in known if e.session == session and e.type in SESSION_KINDS]
    if session is not None and named:
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
    return np.array(rows, np.int32)


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
    return np.array(list(found), np.int32)
