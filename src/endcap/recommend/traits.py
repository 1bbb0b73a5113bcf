"""What is known of a visitor as a whole, worked out from their state for one request."""

from collections import defaultdict

from endcap.catalog.columns import Columns
from endcap.core.event import VisitorState
from endcap.core.times import DAY

from .history import KeptReads
from .query import KINDS, State, Trail, Traits

# How much an event says of the category that a visitor likes best.
_BY_KIND = {"view": 1, "click": 1, "cart_add": 3, "wishlist_add": 3, "purchase": 5}
_WEIGHTS = [_BY_KIND.get(kind, 0) for kind in KINDS]


def traits_of(
    visitor: VisitorState, state: State, now: int, currency: str, tags: frozenset[str]
) -> Traits:
    """The traits at `now`; spend is what was paid in the shop's currency."""
    totals = visitor.totals
    trail = state.kept(KeptReads).read(visitor, state.columns).lasting.trail
    return Traits(
        orders=totals.orders,
        spend=totals.spend.get(currency, 0),
        currency=currency,
        days_since_seen=_days(totals.last_seen, now),
        days_since_first_seen=_days(totals.first_seen, now),
        days_since_order=_days(totals.last_order, now),
        favourite_category=_favourite(trail, state.columns),
        device=totals.device[1] or None,
        zone=totals.zone[1] or None,
        tags=tags,
    )


def _days(moment: int | None, now: int) -> float | None:
    return None if moment is None else max(0, now - moment) / DAY


def _favourite(trail: Trail, columns: Columns) -> str | None:
    """The main category of most of the recent events, weighed by kind; ties by name."""
    sums: dict[int, int] = defaultdict(int)
    codes = columns.categories[trail.rows, 0].tolist()
    for code, kind in zip(codes, trail.kinds.tolist(), strict=True):
        sums[code] += _WEIGHTS[kind]
    names = columns.tree.symbols.names
    found = [(-total, names[code]) for code, total in sums.items() if total and names[code]]
    return min(found)[1] if found else None
