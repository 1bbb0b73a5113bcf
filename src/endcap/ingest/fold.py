"""Folding events into visitor state: pure, bounded, and the same whatever the order of arrival."""

import sys
from collections.abc import Iterable, Sequence

from endcap.core.event import SHOP_EVENT_TYPES, Event, RecentEvent, VisitorState

# What was served says nothing of what the visitor did or saw.
KEPT = tuple(kind for kind in SHOP_EVENT_TYPES if kind not in ("impression", "search"))
SHOWN = ("impression",)
MAX_KEPT = 100
MAX_SHOWN = 100


def fold(state: VisitorState, events: Sequence[Event]) -> None:
    """Take events into the state; the latest `MAX_KEPT` and `MAX_SHOWN` by time stay."""
    new = [kept for event in events for kept in seen(event)]
    recent = [*state.recent, *(e for e in new if e.type not in SHOWN)]
    shown = [*state.shown, *(e for e in new if e.type in SHOWN)]
    state.recent = sorted(recent, key=_moment)[-MAX_KEPT:]
    state.shown = sorted(shown, key=_moment)[-MAX_SHOWN:]


def seen(event: Event) -> Iterable[RecentEvent]:
    """What visitor state keeps of an event: one entry per product."""
    if event.type not in KEPT and event.type not in SHOWN:
        return ()
    kind = sys.intern(event.type)
    return [
        RecentEvent(kind, line.product, event.occurred_at, event.session) for line in event.lines
    ]


def _moment(event: RecentEvent) -> tuple[int, str, str]:
    return event.occurred_at, event.type, event.product
