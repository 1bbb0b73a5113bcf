"""Synthetic visits: heavy and light visitors, seasons, sessions with a theme, carts, purchases.

A visit has a theme (a category, and a style inside it). Seven in ten of its looks fall into the
theme, two into the category at large, one anywhere. Inside a category the frequency of a product
falls as 1 / rank (Zipf), so a few products are seen by many and most by few. One look in nine is
put into the cart and about four carts in ten are bought, as one order.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.core.times import DAY, HOUR, SECOND

from .catalogue import Catalogue, Ints

STYLES = 12
LOOKS_PER_VISIT = 6.0
EVENTS_PER_LOOK = 1.0 + 0.111 + 0.018
CART, BUY = 0.111, 0.42
VIEW, CART_ADD, PURCHASE = 0, 1, 2
TYPES = ("view", "cart_add", "purchase")


class Lines(NamedTuple):
    """Product lines of events in order of time; an order's share `event` and stand together.

    `event` counts from 0; `moment` is UTC milliseconds.
    """

    event: Ints
    kind: npt.NDArray[np.int8]
    visitor: Ints
    session: Ints
    product: Ints
    quantity: Ints
    moment: Ints


class Plan(NamedTuple):
    """How many events to make, over which time, of how many visitors."""

    events: int
    until: int
    days: int
    visitors: int
    seed: int


def make_plan(events: int, until: int, seed: int, days: int = 365) -> Plan:
    """A visitor makes 12 events in the mean; half of them come once."""
    return Plan(events, until, days, max(50, events // 12), seed)


def make_events(catalogue: Catalogue, plan: Plan) -> Iterator[Lines]:
    """The lines, a stretch of days at a time, so that memory is bounded."""
    shares = _season(plan.days)
    activity = _activity(plan)
    wanted = np.diff(np.concatenate([[0], np.floor(np.cumsum(shares) * plan.events + 0.5)]))
    stretch = max(1, int(2_000_000 / max(1.0, wanted.mean())))
    done = session = 0
    for first in range(0, plan.days, stretch):
        per_day = wanted[first : first + stretch].astype(np.int64)
        if not per_day.sum():
            continue
        chance = np.random.default_rng([plan.seed, 2, first])
        lines, visits = _stretch(catalogue, plan, (first, per_day, activity), chance)
        yield lines._replace(event=lines.event + done, session=lines.session + session)
        done += int(per_day.sum())
        session += visits


def _season(days: int) -> npt.NDArray[np.float64]:
    """Share of each day, the last day last: a yearly wave, a high before the end, weekends."""
    day = np.arange(days)
    wave = 1 + 0.25 * np.sin(2 * np.pi * day / 365) + 0.8 * np.exp(-(((day - 330) / 14) ** 2))
    week = np.where(day % 7 >= 5, 1.25, 0.9)
    shares: npt.NDArray[np.float64] = wave * week / (wave * week).sum()
    return shares


def _activity(plan: Plan) -> npt.NDArray[np.float64]:
    """Cumulated weights of visitors: lognormal, so one in a hundred makes about a fifth."""
    chance = np.random.default_rng([plan.seed, 3])
    weights = np.exp(chance.normal(0, 1.2, plan.visitors))
    cumulated: npt.NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    return cumulated


def _stretch(catalogue, plan, days, chance):
    first, per_day, activity = days
    target = int(per_day.sum())
    visits = int(target / (LOOKS_PER_VISIT * EVENTS_PER_LOOK) * 1.06) + 20
    begin = plan.until - plan.days * DAY
    share = per_day / per_day.sum()
    day = first + chance.choice(len(per_day), visits, p=share)
    # Most come in the evening; times are the shop's own.
    hour = np.clip(chance.normal(16, 4.5, visits), 0, 23.99)
    start = begin + day * DAY + (hour * HOUR).astype(np.int64)
    start = np.minimum(start, plan.until - 2 * HOUR)
    visitor = np.searchsorted(activity, chance.random(visits)).astype(np.int64)
    views = _looks(catalogue, visitor, day, start, chance)
    return _ordered(views, target, chance), visits


def _looks(catalogue, visitor, day, start, chance):
    """Looked-at products of all visits, one row each, visit by visit."""
    visits = len(visitor)
    length = np.minimum(1 + chance.geometric(1 / (LOOKS_PER_VISIT - 1), visits), 60)
    visit = np.repeat(np.arange(visits), length)
    step = np.arange(len(visit)) - np.repeat(np.cumsum(length) - length, length)
    theme = _themes(catalogue, visitor, day, chance)[visit]
    where = chance.random(len(visit))
    anywhere = chance.choice(len(catalogue.paths), len(visit), p=catalogue.weights)
    category = np.where(where < 0.9, theme, anywhere)
    size = catalogue.sizes[category]
    styles = np.clip(size // 30, 1, STYLES)
    style = ((visitor * 7 + day) % STYLES)[visit] % styles
    rank = ((size // styles + 1.0) ** chance.random(len(visit))).astype(np.int64) - 1
    wide = ((size + 1.0) ** chance.random(len(visit))).astype(np.int64) - 1
    inside = np.where(where < 0.7, np.minimum(rank * styles + style, size - 1), wide)
    product = catalogue.by_category[catalogue.starts[category] + np.minimum(inside, size - 1)]
    moment = start[visit] + step * 45 * SECOND + chance.integers(0, 40 * SECOND, len(visit))
    return visit, visitor[visit], product, np.minimum(moment, start[visit] + 2 * HOUR - 1)


def _themes(catalogue, visitor, day, chance):
    """A visitor has a few favourite categories; one visit in three goes elsewhere, by season."""
    cumulated = np.cumsum(catalogue.weights)
    favourite = np.searchsorted(cumulated, ((visitor * 2654435761) % 1_000_003) / 1_000_003)
    shift = (day // 30 * 37) % len(cumulated)
    other = (np.searchsorted(cumulated, chance.random(len(visitor))) + shift) % len(cumulated)
    theme = np.where(chance.random(len(visitor)) < 0.65, favourite, other)
    theme = np.minimum(theme, len(cumulated) - 1)
    # A category without products has nothing to look at.
    return np.where(catalogue.sizes[theme] > 0, theme, int(np.argmax(catalogue.sizes)))


def _ordered(views, target, chance):
    """Views, carts and orders in order of time, cut to `target` events."""
    visit, visitor, product, moment = views
    carted = np.flatnonzero(chance.random(len(visit)) < CART)
    buying = chance.random(int(visit.max()) + 1) < BUY
    bought = carted[buying[visit[carted]]]
    done = np.zeros(int(visit.max()) + 1, np.int64)
    np.maximum.at(done, visit, moment)
    rows = np.concatenate([np.arange(len(visit)), carted, bought])
    kind = np.repeat(
        np.array([VIEW, CART_ADD, PURCHASE], np.int8), [len(visit), len(carted), len(bought)]
    )
    when = np.concatenate([moment, moment[carted] + SECOND, done[visit[bought]] + 60 * SECOND])
    order = np.lexsort((kind, visit[rows], when))
    rows, kind, when = rows[order], kind[order], when[order]
    # A line belongs to the event of the line before it when both are of one visit's order.
    same = np.zeros(len(rows), np.bool_)
    same[1:] = (
        (kind[1:] == PURCHASE) & (kind[:-1] == PURCHASE) & (visit[rows][1:] == visit[rows][:-1])
    )
    event = np.cumsum(~same) - 1
    keep = event < target
    if event[-1] + 1 < target:
        raise ValueError(f"made {event[-1] + 1} events of {target}")
    rows = rows[keep]
    return Lines(
        event=event[keep],
        kind=kind[keep],
        visitor=visitor[rows],
        session=visit[rows],
        product=product[rows],
        quantity=np.where(kind[keep] == PURCHASE, 1 + (rows % 7 == 0), 1),
        moment=when[keep],
    )
