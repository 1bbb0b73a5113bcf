"""What filters say of the whole catalogue, kept until a product changes or a date passes.

A request then reads one flag per candidate, however many filters its placement has.
"""

from collections import OrderedDict

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray, distinct
from endcap.catalog.columns import FOREVER, Columns

from .query import Query, State
from .stages import NamedFilter

MAX_KEPT = 32


class Kept:
    """Flags over the catalogue, how much of its changes they know, and the times they hold for."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.changes = 0
        self.flags: BoolArray = np.zeros(0, np.bool_)
        self.since, self.until = 0, 0


class Standing:
    """Flags by the filters they are of; a zone in which something differs has flags of its own.

    One is used by one thread.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None, tuple[NamedFilter, ...]], Kept] = (
            OrderedDict()
        )

    def flags(self, filters: tuple[NamedFilter, ...], query: Query, state: State) -> BoolArray:
        """Which rows of the catalogue are live and pass all the filters, at the query's time.

        The filters must be `standing`. The array is shared: who writes to it puts it back.
        """
        columns = state.columns
        zone = query.zone if columns.zones.find(query.zone) is not None else None
        key = (columns.shop, zone, filters)
        kept = self._kept.get(key)
        if kept is None or kept.columns is not columns:
            kept = self._kept[key] = Kept(columns)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        if kept.changes != columns.changes.count or not kept.since <= query.now < kept.until:
            _refresh(kept, filters, query, state)
        return kept.flags


def _refresh(kept: Kept, filters: tuple[NamedFilter, ...], query: Query, state: State) -> None:
    columns, now = kept.columns, query.now
    size = len(columns)
    everything = np.arange(size, dtype=np.int32)
    changed = columns.changes.since(kept.changes)
    if changed is None or now < kept.since or not kept.until:
        changed = everything
    elif now >= kept.until:
        changed = distinct(changed, _turned(columns, kept.until, now))
    if size > len(kept.flags):
        larger = np.zeros(max(size, 2 * len(kept.flags)), np.bool_)
        larger[: len(kept.flags)] = kept.flags
        kept.flags = larger
    nobody = Query(now=now, count=1, zone=query.zone)
    flags: BoolArray = columns.alive[changed]
    for named in filters:
        flags &= named.filter.keep(changed, nobody, state)
    kept.flags[changed] = flags
    kept.changes = columns.changes.count
    if not kept.since <= now < kept.until:
        kept.since, kept.until = 0, FOREVER
        changed = everything
    if columns.dated:
        _bound(kept, changed, now)


def _turned(columns: Columns, since: int, now: int) -> IntArray:
    """The rows with a date from `since` to now."""
    turned = np.zeros(len(columns), np.bool_)
    for dates in (columns.available_from[: len(columns)], columns.available_until[: len(columns)]):
        turned |= (dates >= since) & (dates <= now)
    return np.flatnonzero(turned).astype(np.int32)


def _bound(kept: Kept, rows: IntArray, now: int) -> None:
    """Let the flags hold from the last date of these rows before now to the next one."""
    for dates in (kept.columns.available_from[rows], kept.columns.available_until[rows]):
        kept.since = max(kept.since, int(dates[dates <= now].max(initial=0)))
        kept.until = min(kept.until, int(dates[dates > now].min(initial=FOREVER)))
