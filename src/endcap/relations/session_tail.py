"""Sessions of the tail: what happened since the snapshot, click by click, bounded in memory."""

import zlib

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import NO_ITEMS, IntArray, LongArray, grown
from endcap.catalog.columns import Columns
from endcap.core.event import Event
from endcap.core.times import MINUTE

KINDS = frozenset({"view", "click", "cart_add"})
NO_SESSIONS: LongArray = np.empty(0, np.int64)


def visitor_code(visitor: str) -> int:
    """32 bits that tell visitors apart, well enough to leave out a visitor's own sessions."""
    return zlib.crc32(visitor.encode())


class TailSessions:
    """The newest sessions by catalogue row.

    At most `sessions` are kept, in a ring; of each the last `width` clicks; per product the
    `newest` sessions. A session of one click says nothing of what goes on, so it joins a product's
    sessions with its second click. A session is the visitor's session id, or without one the
    visitor's clicks no further than `pause` milliseconds apart.
    """

    def __init__(
        self,
        sessions: int = 100_000,
        width: int = 20,
        newest: int = 200,
        pause: int = 30 * MINUTE,
    ) -> None:
        self.total = 0
        self._limit = sessions
        self._width = width
        self._newest = newest
        self._pause = pause
        self._clicks: IntArray = np.full((0, width), -1, np.int32)
        self._lengths: IntArray = np.empty(0, np.int32)
        self._visitors: npt.NDArray[np.uint32] = np.empty(0, np.uint32)
        self._open: dict[tuple[str, bool], tuple[int, int]] = {}
        self._rings: dict[int, tuple[LongArray, int]] = {}
        self._holders: IntArray = np.zeros(1, np.int32)

    def fold(self, event: Event, columns: Columns) -> None:
        """Take in one event; programs, staff and visitors without a name are left out."""
        if event.type not in KINDS or event.traffic is not None or not event.visitor:
            return
        for line in event.lines:
            row = columns.row(line.product)
            if row is not None:
                self._click(self._session(event), row)

    def holders(self, row: int) -> int:
        """How many sessions of the tail were filed under the product."""
        ring = self._rings.get(row)
        return ring[1] if ring else 0

    def held(self, rows: IntArray) -> IntArray:
        """The same of several products."""
        known = np.minimum(rows, len(self._holders) - 1)
        return np.where(rows < len(self._holders), self._holders[known], 0)

    def sessions(self, row: int) -> tuple[LongArray, LongArray]:
        """The product's newest sessions, newest first, and where in each it stands last."""
        ring = self._rings.get(row)
        if ring is None:
            return NO_SESSIONS, NO_SESSIONS
        filed, count = ring
        held = min(count, self._newest)
        found = filed[(count - 1 - np.arange(held)) % self._newest]
        found = found[found >= self.total - self._limit]
        at = self._clicks[found % self._limit] == row
        known = at.any(axis=1)
        places = self._width - 1 - at[:, ::-1].argmax(axis=1)
        return found[known], places[known]

    def clicks(self, sessions: LongArray) -> tuple[IntArray, LongArray, LongArray]:
        """Rows clicked in the sessions, one after the other, the session each is of, its place."""
        if not len(sessions):
            return NO_ITEMS, NO_SESSIONS, NO_SESSIONS
        block = self._clicks[sessions % self._limit]
        owner, place = np.nonzero(block >= 0)
        return block[owner, place], owner, place

    def visitors(self, sessions: LongArray) -> npt.NDArray[np.uint32]:
        """Whose sessions they are, as `visitor_code` says."""
        return self._visitors[sessions % self._limit]

    def _session(self, event: Event) -> int:
        key = (event.session or event.visitor, event.session is not None)
        known = self._open.get(key)
        if known is not None and known[0] >= self.total - self._limit:
            number, last = known
            if event.session is not None or event.occurred_at - last <= self._pause:
                self._open[key] = (number, max(last, event.occurred_at))
                return number
        number = self.total
        self.total += 1
        slot = number % self._limit
        if slot >= len(self._lengths):
            capacity = min(self._limit, max(256, 2 * slot))
            self._clicks = grown(self._clicks, capacity, -1)
            self._lengths = grown(self._lengths, capacity, 0)
            self._visitors = grown(self._visitors, capacity, 0)
        self._clicks[slot] = -1
        self._lengths[slot] = 0
        self._visitors[slot] = visitor_code(event.visitor)
        self._open[key] = (number, event.occurred_at)
        if len(self._open) > 2 * self._limit:
            oldest = self.total - self._limit
            self._open = {k: v for k, v in self._open.items() if v[0] >= oldest}
        return number

    def _click(self, number: int, row: int) -> None:
        slot = number % self._limit
        clicks, length = self._clicks[slot], int(self._lengths[slot])
        fresh = row not in clicks[: min(length, self._width)]
        if length < self._width:
            clicks[length] = row
        else:
            clicks[:-1] = clicks[1:]
            clicks[-1] = row
        self._lengths[slot] = length + 1
        if length == 1:
            self._file(number, int(clicks[0]))
        if length >= 1 and fresh:
            self._file(number, row)

    def _file(self, number: int, row: int) -> None:
        ring = self._rings.get(row)
        filed, count = ring if ring is not None else (np.full(self._newest, -1, np.int64), 0)
        filed[count % self._newest] = number
        self._rings[row] = (filed, count + 1)
        if row >= len(self._holders):
            self._holders = grown(self._holders, max(1_024, 2 * row), 0)
        self._holders[row] = count + 1
