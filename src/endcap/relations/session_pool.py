"""Sessions to compare with: those of the snapshot and those of the tail, under one numbering.

Snapshot sessions come first, so a higher number is a newer session everywhere.
"""

from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import BoolArray, FloatArray, IntArray, LongArray

from .joined import Joined
from .session_index import SessionIndex, spread
from .session_tail import NO_SESSIONS, TailSessions


class Clicks(NamedTuple):
    """Clicks of several sessions: catalogue row, which of the sessions, place within it."""

    rows: IntArray
    owner: LongArray
    place: LongArray


class SessionPool:
    """Reads sessions by catalogue row. Holds scratch arrays, so it serves one thread."""

    def __init__(self, joined: Joined, tail: TailSessions) -> None:
        self._joined = joined
        self._index: SessionIndex | None = joined.sessions
        self._old = len(self._index) if self._index is not None else 0
        self._tail = tail
        self._scratch: FloatArray = np.zeros(self._old)
        self._numbers: IntArray = np.zeros(0, np.int32)

    @property
    def total(self) -> int:
        """How many sessions there are."""
        return self._old + self._tail.total

    def scratch(self) -> FloatArray:
        """Zeros, one per session; the caller sets back to zero what it changed."""
        if len(self._scratch) < self.total:
            self._scratch = np.zeros(self.total + max(1_000, self._tail.total))
        return self._scratch

    def holders(self, row: int) -> int:
        """How many sessions hold the product."""
        product = self._joined.product(row)
        old = int(self._index.holders[product]) if self._index is not None and product >= 0 else 0
        return old + self._tail.holders(row)

    def rarity(self, rows: IntArray) -> FloatArray:
        """idf of each row: ln(sessions / sessions that hold it)."""
        held = np.zeros(len(rows))
        if self._index is not None:
            products = self._joined.numbers(rows)
            held = np.where(products >= 0, self._index.holders[np.maximum(products, 0)], 0)
        if self._tail.total:
            held = held + self._tail.held(rows)
        rare: FloatArray = np.log(max(1, self.total) / np.maximum(held, 1.0))
        return rare

    def sessions(self, row: int, newest: int) -> tuple[LongArray, LongArray]:
        """At most `newest` sessions with the product, newest first, and its last place in each."""
        fresh, fresh_places = self._tail.sessions(row)
        fresh, fresh_places = fresh[:newest] + self._old, fresh_places[:newest]
        product = self._joined.product(row)
        if self._index is None or product < 0:
            return fresh, fresh_places
        start = int(self._index.starts[product])
        end = min(int(self._index.starts[product + 1]), start + newest - len(fresh))
        old, places = self._index.postings[start:end], self._index.places[start:end]
        if not len(fresh):
            return old.astype(np.int64), places.astype(np.int64)
        return np.concatenate([fresh, old]), np.concatenate([fresh_places, places])

    def numbered(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """The different rows among some, in no order, and for each of the rows which it is."""
        if not len(rows):
            return rows, rows
        size = int(rows.max()) + 1
        if len(self._numbers) < size:
            self._numbers = np.zeros(max(size, 2 * len(self._numbers)), np.int32)
        places = np.arange(len(rows), dtype=np.int32)
        # Of the places of a row one is written last; it stands for the row.
        self._numbers[rows] = places
        once = rows[self._numbers[rows] == places]
        self._numbers[once] = np.arange(len(once), dtype=np.int32)
        return once, self._numbers[rows]

    def others(self, sessions: LongArray, visitor: int) -> BoolArray:
        """Which of the sessions are not the visitor's own."""
        whose = np.zeros(len(sessions), np.uint32)
        fresh = sessions >= self._old
        if self._index is not None:
            whose[~fresh] = self._index.visitors[sessions[~fresh]]
        if self._tail.total:
            whose[fresh] = self._tail.visitors(sessions[fresh] - self._old)
        others: BoolArray = whose != np.uint32(visitor)
        return others

    def clicks(self, sessions: LongArray) -> Clicks:
        """What was clicked in the sessions; products no longer in the catalogue are left out."""
        fresh = np.flatnonzero(sessions >= self._old)
        parts: list[Clicks] = []
        if self._index is not None and len(fresh) < len(sessions):
            parts.append(self._old_clicks(self._index, sessions))
        if len(fresh):
            rows, owner, place = self._tail.clicks(sessions[fresh] - self._old)
            parts.append(Clicks(rows, fresh[owner], place))
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Clicks(np.empty(0, np.int32), NO_SESSIONS, NO_SESSIONS)
        return Clicks(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _old_clicks(self, index: SessionIndex, sessions: LongArray) -> Clicks:
        old = np.flatnonzero(sessions < self._old) if self._tail.total else np.arange(len(sessions))
        starts = index.offsets[sessions[old]]
        at, owner = spread(starts, index.offsets[sessions[old] + 1] - starts)
        rows = self._joined.rows(index.items[at])
        place = at - starts[owner]
        if (rows < 0).any():
            known = rows >= 0
            return Clicks(rows[known], old[owner[known]], place[known])
        return Clicks(rows, old[owner], place)
