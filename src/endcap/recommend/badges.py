"""Flags on products in a slate: low in stock, back, cheaper, new, trending, best of a category."""

from collections.abc import Callable

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.core.answer import Badge
from endcap.core.merchant import BadgeSettings
from endcap.core.money import from_minor
from endcap.core.times import DAY, MINUTE, format_time

from .query import Query, State


def product_badges(rows: IntArray, query: Query, state: State) -> list[list[Badge]]:
    """The badges of each row, in a fixed order of types."""
    badges: list[list[Badge]] = [[] for _ in range(len(rows))]
    if not len(rows):
        return badges
    off = state.merchant.badges.off
    # Whole columns say which rows may have a badge, so that most rows cost nothing more.
    for type_, candidates, make in _kinds(rows, query, state):
        if type_ in off:
            continue
        for place in np.flatnonzero(candidates).tolist():
            badge = make(int(rows[place]), query, state)
            if badge is not None:
                badges[place].append(badge)
    return badges


def _kinds(
    rows: IntArray, query: Query, state: State
) -> list[tuple[str, BoolArray, Callable[[int, Query, State], Badge | None]]]:
    columns, settings, now = state.columns, state.merchant.badges, query.now
    stock = columns.stock_in(rows, query.zone)
    most = max((settings.low_stock, *settings.low_stock_by_category.values()))
    best = state.joined.best_of_category
    listed = np.array([row in best for row in rows.tolist()], np.bool_)
    rising = state.joined.trends.rising(rows, state.counters, now)
    back = columns.restocked_at[rows] > now - settings.back_in_stock_days * DAY
    fresh = columns.arrived_at[rows] > now - settings.new_days * DAY
    return [
        ("low_stock", (stock > 0) & (stock <= most), _low_stock),
        ("back_in_stock", back, _back_in_stock),
        ("price_drop", columns.price_before[rows] > 0, _price_drop),
        ("new", fresh, _new),
        ("trending", rising, _trending),
        ("bestseller", listed, _bestseller),
    ]


def _trending(row: int, query: Query, state: State) -> Badge:
    return Badge("trending", "Trending")


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


def _back_in_stock(row: int, query: Query, state: State) -> Badge | None:
    settings, since = state.merchant.badges, int(state.columns.restocked_at[row])
    if not since or query.now - since > settings.back_in_stock_days * DAY:
        return None
    until = format_time(since + settings.back_in_stock_days * DAY)
    return Badge("back_in_stock", "Back in stock", until=until)


def _price_drop(row: int, query: Query, state: State) -> Badge | None:
    """Against the lowest price of the 30 days before the present one."""
    settings, columns = state.merchant.badges, state.columns
    price, before = int(columns.price[row]), int(columns.price_before[row])
    shown = int(columns.price_in(np.array([row], np.int32), query.zone)[0])
    since = int(columns.price_since[row])
    if before <= 0 or price < 0 or shown != price:
        return None
    percent = 100.0 * (before - price) / before
    until = since + settings.price_drop_days * DAY
    if percent < settings.price_drop_percent or query.now > until:
        return None
    was = str(from_minor(before, columns.names.names[columns.currency[row]]))
    text = f"{percent:.0f} % off"
    return Badge("price_drop", text, was=was, percent=round(percent, 1), until=format_time(until))


def _new(row: int, query: Query, state: State) -> Badge | None:
    """New beside the rest of the shop: on the day a catalogue is filled nothing in it is new."""
    settings, columns = state.merchant.badges, state.columns
    arrived = int(columns.arrived_at[row])
    opened = columns.opened_at
    if arrived - opened < DAY or not 0 <= query.now - arrived <= settings.new_days * DAY:
        return None
    return Badge("new", "New", until=format_time(arrived + settings.new_days * DAY))


def _bestseller(row: int, query: Query, state: State) -> Badge | None:
    """The first places of a category the product itself is in, of the last 30 days."""
    settings = state.merchant.badges
    best = state.joined.best_of_category.get(row)
    if best is None or best.rank > settings.bestseller_places or best.of < settings.bestseller_of:
        return None
    category = state.columns.tree.symbols.names[best.category]
    name = category.rpartition(" > ")[2]
    text = f"Top seller in {name}" if best.rank == 1 else f"No. {best.rank} in {name}"
    return Badge("bestseller", text, rank=best.rank, category=category)
