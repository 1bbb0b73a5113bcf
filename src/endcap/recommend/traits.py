"""What is known of a visitor as a whole, worked out from their state for one request."""

from collections import defaultdict

from endcap.catalog.columns import Columns
from endcap.core.event import VisitorState
from endcap.core.times import DAY

from .query import Traits

# How much an event says of the category that a visitor likes best.
_WEIGHTS = {"view": 1, "click": 1, "cart_add": 3, "wishlist_add": 3, "purchase": 5}


def traits_of(
    state: VisitorState, columns: Columns, now: int, currency: str, tags: frozenset[str]
) -> Traits:
    """The traits at `now`; spend is what was paid in the shop's currency."""
    totals = state.totals
    return Traits(
        orders=totals.orders,
        spend=totals.spend.get(currency, 0),
        currency=currency,
        days_since_seen=_days(totals.last_seen, now),
        days_since_first_seen=_days(totals.first_seen, now),
        days_since_order=_days(totals.last_order, now),
        favourite_category=_favourite(state, columns),
        device=totals.device[1] or None,
        zone=totals.zone[1] or None,
        tags=tags,
    )


def _days(moment: int | None, now: int) -> float | None:
    return None if moment is None else max(0, now - moment) / DAY


def _favourite(state: VisitorState, columns: Columns) -> str | None:
    """The main category of most of the recent events, weighed by kind; ties by name."""
    sums: dict[str, int] = defaultdict(int)
    names = columns.tree.symbols.names
    for event in state.recent:
        row = columns.row(event.product)
        if row is not None and event.type in _WEIGHTS:
            sums[names[columns.categories[row, 0]]] += _WEIGHTS[event.type]
    sums.pop("", None)
    return min(sums, key=lambda name: (-sums[name], name)) if sums else None
