"""Flags on products in a slate: low in stock, back, cheaper, new, trending, best of a category."""

import numpy as np

from endcap.catalog.arrays import IntArray
from endcap.catalog.columns import FOREVER
from endcap.core.answer import Badge
from endcap.core.merchant import BadgeSettings
from endcap.core.money import from_minor
from endcap.core.times import DAY, MINUTE, format_time

from .kept import MAX_BADGES, KeptBadges, Lasting
from .query import Query, State

TRENDING = Badge("trending", "Trending")


def product_badges(rows: IntArray, query: Query, state: State) -> list[list[Badge]]:
    """The badges of each row, in a fixed order of types."""
    if not len(rows):
        return []
    columns, settings = state.columns, state.merchant.badges
    kept = state.kept(KeptBadges)
    kept.fitting(settings, columns.opened_at)
    overlay = columns.zones.find(query.zone)
    rising: frozenset[int] = frozenset()
    if "trending" not in settings.off:
        rising = state.joined.trends.rising(state.counters, query.now)
    badges: list[list[Badge]] = []
    for row, version in zip(rows.tolist(), columns.version[rows].tolist(), strict=True):
        key = row if overlay is None or query.zone is None else (row, query.zone)
        lasting = kept.by_row.get(key)
        if (
            lasting is None
            or lasting.version != version
            or not lasting.made <= query.now < lasting.until
        ):
            lasting = kept.by_row[key] = _lasting(row, version, query, state)
            if len(kept.by_row) > MAX_BADGES:
                kept.by_row.popitem(last=False)
        own = [*lasting.first]
        if lasting.low and (low := _low_stock(row, query, state)) is not None:
            own.insert(0, low)
        if row in rising:
            own.append(TRENDING)
        own += lasting.last
        badges.append(own)
    return badges


def _lasting(row: int, version: int, query: Query, state: State) -> Lasting:
    off = state.merchant.badges.off
    until = FOREVER
    first: list[Badge] = []
    for type_, make in (
        ("back_in_stock", _back_in_stock),
        ("price_drop", _price_drop),
        ("new", _new),
    ):
        if type_ in off:
            continue
        badge, end = make(row, query, state)
        until = min(until, end)
        if badge is not None:
            first.append(badge)
    low = "low_stock" not in off and _low_stock(row, query, state) is not None
    best = None if "bestseller" in off else _bestseller(row, state)
    last = () if best is None else (best,)
    return Lasting(version, query.now, until, low, tuple(first), last)


def _low_stock(row: int, query: Query, state: State) -> Badge | None:
    """The true number left, in the zone; never a number made up."""
    settings = state.merchant.badges
    left = int(state.columns.stock_in(np.array([row], np.int32), query.zone)[0])
    if not 0 < left <= _threshold(row, settings, state):
        return None
    until = format_time(query.now + settings.low_stock_minutes * MINUTE)
    return Badge("low_stock", f"Only {left} left", left=left, until=until)


def _threshold(row: int, settings: BadgeSettings, state: State) -> int:
    """The number of the product's deepest category that has one of its own."""
    special = settings.low_stock_by_category
    if not special:
        return settings.low_stock
    one = np.array([row], np.int32)
    fitting = [path for path in special if state.columns.in_category(one, path)[0]]
    deepest = max(fitting, key=lambda path: (path.count(" > "), path), default=None)
    return settings.low_stock if deepest is None else special[deepest]


def _back_in_stock(row: int, query: Query, state: State) -> tuple[Badge | None, int]:
    settings, since = state.merchant.badges, int(state.columns.restocked_at[row])
    until = since + settings.back_in_stock_days * DAY
    if not since or query.now > until:
        return None, FOREVER
    return Badge("back_in_stock", "Back in stock", until=format_time(until)), until + 1


def _price_drop(row: int, query: Query, state: State) -> tuple[Badge | None, int]:
    """Against the lowest price of the 30 days before the present one."""
    settings, columns = state.merchant.badges, state.columns
    price, before = int(columns.price[row]), int(columns.price_before[row])
    shown = int(columns.price_in(np.array([row], np.int32), query.zone)[0])
    if before <= 0 or price < 0 or shown != price:
        return None, FOREVER
    percent = 100.0 * (before - price) / before
    until = int(columns.price_since[row]) + settings.price_drop_days * DAY
    if percent < settings.price_drop_percent or query.now > until:
        return None, FOREVER
    was = str(from_minor(before, columns.names.names[columns.currency[row]]))
    badge = Badge(
        "price_drop",
        f"{percent:.0f} % off",
        was=was,
        percent=round(percent, 1),
        until=format_time(until),
    )
    return badge, until + 1


def _new(row: int, query: Query, state: State) -> tuple[Badge | None, int]:
    """New beside the rest of the shop: on the day a catalogue is filled nothing in it is new."""
    settings, columns = state.merchant.badges, state.columns
    arrived = int(columns.arrived_at[row])
    until = arrived + settings.new_days * DAY
    if arrived - columns.opened_at < DAY or query.now > until:
        return None, FOREVER
    if query.now < arrived:
        return None, arrived
    return Badge("new", "New", until=format_time(until)), until + 1


def _bestseller(row: int, state: State) -> Badge | None:
    """The first places of a category the product itself is in, of the last 30 days."""
    settings = state.merchant.badges
    best = state.joined.best_of_category.get(row)
    if best is None or best.rank > settings.bestseller_places or best.of < settings.bestseller_of:
        return None
    category = state.columns.tree.symbols.names[best.category]
    name = category.rpartition(" > ")[2]
    text = f"Top seller in {name}" if best.rank == 1 else f"No. {best.rank} in {name}"
    return Badge("bestseller", text, rank=best.rank, category=category)
