"""Folding events into visitor state: pure, bounded, and the same whatever the order of arrival."""

import sys
from collections.abc import Iterable, Sequence

from endcap.core.event import SHOP_EVENT_TYPES, Event, RecentEvent, Totals, VisitorState

# What was served says nothing of what the visitor did or saw.
KEPT = tuple(kind for kind in SHOP_EVENT_TYPES if kind not in ("impression", "search"))
SHOWN = ("impression",)
MAX_KEPT = 100
MAX_SHOWN = 100
LIFETIME = 10_000
"""Events of a visitor that are read for the totals; who has more than these is counted short."""


def fold(state: VisitorState, events: Sequence[Event]) -> None:
    """Take events into the state; the latest `MAX_KEPT` and `MAX_SHOWN` by time stay."""
    new = [kept for event in events for kept in seen(event)]
    recent = [*state.recent, *(e for e in new if e.type not in SHOWN)]
    shown = [*state.shown, *(e for e in new if e.type in SHOWN)]
    for event in events:
        if event.type in KEPT:
            _count(state.totals, event)
    state.recent = sorted(recent, key=_moment)[-MAX_KEPT:]
    state.shown = sorted(shown, key=_moment)[-MAX_SHOWN:]


def _count(totals: Totals, event: Event) -> None:
    moment = event.occurred_at
    first, last = totals.first_seen, totals.last_seen
    totals.first_seen = moment if first is None else min(first, moment)
    totals.last_seen = moment if last is None else max(last, moment)
    if event.device:
        totals.device = max(totals.device, (moment, event.device))
    if event.zone:
        totals.zone = max(totals.zone, (moment, event.zone))
    if event.type == "purchase":
        totals.orders += 1
        before = totals.last_order
        totals.last_order = moment if before is None else max(before, moment)
    if event.type in ("purchase", "refund"):
        amount = sum((line.price or 0) * line.quantity for line in event.lines)
        sign = 1 if event.type == "purchase" else -1
        currency = event.currency or ""
        totals.spend[currency] = totals.spend.get(currency, 0) + sign * amount


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
