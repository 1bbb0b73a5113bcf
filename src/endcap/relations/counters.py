"""Live counters: how many visitors looked at, put in the cart or bought each product lately.

They are folded from the log's tail in every process, so they move within a second of the events.
How to read them (`state.counters` in a retriever):

- `rate(rows, window, now)`: the decayed number of visitors per row. `window` is `1h`, `1d`, `7d`
  or `30d`: an event that long ago counts 1/e. A row's events of the last `window` weigh most; a
  steady product has about the visitors of one window.
- `scores(rows, window, now)`: the same to order by; what differs by rounding only is equal.
- `ranked(window, now)`: rows by falling score, at most `RANKED` of them, ties by product id. As
  waiting never changes the order, only rows with new events are sorted in after the first time, at
  most every `FRESH` milliseconds; only the order is kept, so eligibility is checked live.
- `visitors(row, window, now, signal)`: one row's decayed number, for a reason's text.
- `by_code(codes, window, now)`: the rate added up per code of a column, e.g. `columns.brand`.

`signal` is `views` (views and clicks), `carts`, `sales`, `acts` (all three alike), or `score` (the
default): all three with the weights of the popularity kernel. `zone` narrows to the events of one
shipping zone.

One visitor counts once per product, signal and UTC day, however often they click.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import NO_ITEMS, FloatArray, IntArray, distinct
from endcap.catalog.columns import Columns
from endcap.catalog.ranking import best_first
from endcap.core.event import Event
from endcap.core.times import DAY, HOUR

from .decayed import Decayed

LIFETIMES = {"1h": HOUR, "1d": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
WINDOWS = {name: place for place, name in enumerate(LIFETIMES)}
SIGNALS = {"views": 0, "carts": 1, "sales": 2}
SIGNAL_OF = {"view": 0, "click": 0, "cart_add": 1, "purchase": 2}
SCORE = np.array([0.05, 0.3, 1.0])
RANKED = 10_000
FRESH = 250
# After so many events the orders are made anew, which lets go of the list of touched rows.
MAX_TOUCHED = 200_000
MAX_ZONES = 200
# So many (visitor, product, signal, day) are remembered of the tail; a build starts anew.
MAX_SEEN = 2_000_000


class Order(NamedTuple):
    """An order as made at a time, and how many touched rows it has taken in."""

    at: int
    rows: IntArray
    seen: int


class Counters:
    """Decayed counts of one shop, in all and per zone. All calls come from one thread."""

    def __init__(self, landmark: int = 0, ids: Sequence[str] = ()) -> None:
        """`ids` are the catalogue's, by row; whoever folds gives them, too."""
        self.landmark = landmark
        self._ids = ids
        self._tables: dict[str | None, Decayed] = {None: self._table()}
        self._seen: set[int] = set()
        self._before: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._orders: dict[tuple[str, str, str | None], Order] = {}
        self.folded = 0  # how often a count has changed
        # Rows with events since the orders were first made, per zone, in the order of the events.
        self._touched: dict[str | None, list[int]] = defaultdict(list)

    @classmethod
    def restored(
        cls,
        tables: Mapping[str, Mapping[str, npt.NDArray[Any]]],
        zones: list[str],
        rows: Callable[[IntArray], IntArray],
        ids: Sequence[str],
    ) -> "Counters":
        """The counters as of a snapshot; `rows` turns its product numbers into catalogue rows."""
        table = tables["counters"]
        counters = cls(int(table["landmark"][0]), ids)
        counters._before = tables["counters_seen"]["key"]
        found = rows(table["product"])
        for number, zone in ((-1, None), *enumerate(zones)):
            here = np.flatnonzero((table["zone"] == number) & (found >= 0))
            if len(here):
                decayed = counters._tables.setdefault(zone, counters._table())
                decayed.merge(found[here], table["sums"][:, :, here])
        return counters

    def fold(self, event: Event, columns: Columns) -> None:
        """Count one event; programs, staff and visitors without a name count nothing."""
        signal = SIGNAL_OF.get(event.type)
        if signal is None or event.traffic is not None or not event.visitor:
            return
        self._ids = columns.ids
        for line in event.lines:
            row = columns.row(line.product)
            if row is None or not self._first(event, line.product, signal):
                continue
            for zone in self._of(event.zone):
                self._tables[zone].add(row, signal, event.occurred_at)
                self._touch(zone, row)

    def rate(
        self,
        rows: IntArray,
        window: str,
        now: int,
        signal: str = "score",
        zone: str | None = None,
    ) -> FloatArray:
        """Decayed visitors of each row; 0 for a row without events. Raises KeyError."""
        table = self._tables.get(zone)
        if table is None:
            return np.zeros(len(rows))
        return table.at(rows, WINDOWS[window], now, signal_weights(signal))

    def scores(self, rows: IntArray, window: str, now: int, zone: str | None = None) -> FloatArray:
        """The rate of each row, equal for rows with as many visitors at the same times."""
        table = self._tables.get(zone)
        if table is None:
            return np.zeros(len(rows))
        return table.scores(rows, WINDOWS[window], now, SCORE)

    def visitors(self, row: int, window: str, now: int, signal: str = "views") -> float:
        """Decayed visitors of one row."""
        return float(self.rate(np.array([row], np.int32), window, now, signal)[0])

    def ranked(
        self, window: str, now: int, signal: str = "score", zone: str | None = None
    ) -> IntArray:
        """Rows by falling rate. Raises KeyError for a window or signal that does not exist."""
        key = (window, signal, zone)
        made = self._orders.get(key)
        if made is not None and 0 <= now - made.at < FRESH:
            return made.rows
        table = self._tables.get(zone)
        place, weights = WINDOWS[window], signal_weights(signal)
        if table is None or not table.used:
            return NO_ITEMS
        touched = self._touched[zone]
        if made is not None and made.seen == len(touched):
            rows = made.rows
        else:
            rows = table.rows[: table.used]
            if made is not None:
                fresh = distinct(np.array(touched[made.seen :], np.int32))
                # The others keep their order, which makes sorting them again quick.
                rows = np.concatenate([made.rows[~np.isin(made.rows, fresh)], fresh])
            scores = table.scores(rows, place, table.landmark, weights)
            rows = _best(rows, scores, self._ids)
        self._orders[key] = Order(now, rows, len(touched))
        return rows

    def settled(self, window: str, signal: str = "score", zone: str | None = None) -> bool:
        """Whether the order last given for these knows every event."""
        made = self._orders.get((window, signal, zone))
        return made is not None and made.seen == len(self._touched[zone])

    def by_code(self, codes: IntArray, window: str, now: int, signal: str = "score") -> FloatArray:
        """The rate of all rows added up by `codes[row]`, e.g. by brand; one number per code."""
        table = self._tables[None]
        if not table.used:
            return np.zeros(int(codes.max(initial=0)) + 1)
        rates = table.all(WINDOWS[window], now, signal_weights(signal))
        sums: FloatArray = np.bincount(codes[table.rows[: table.used]], rates).astype(np.float64)
        return sums

    def _table(self) -> Decayed:
        return Decayed(tuple(LIFETIMES.values()), len(SIGNALS), self.landmark)

    def _of(self, zone: str | None) -> list[str | None]:
        if zone is None:
            return [None]
        if zone not in self._tables and len(self._tables) <= MAX_ZONES:
            self._tables[zone] = self._table()
        return [z for z in (None, zone) if z in self._tables]

    def _touch(self, zone: str | None, row: int) -> None:
        self.folded += 1
        touched = self._touched[zone]
        touched.append(row)
        if len(touched) > MAX_TOUCHED:
            touched.clear()
            for key in [key for key in self._orders if key[2] == zone]:
                del self._orders[key]

    def _first(self, event: Event, product: str, signal: int) -> bool:
        key = seen_key(event.visitor, product, signal, event.occurred_at // DAY)
        if key in self._seen:
            return False
        at = int(np.searchsorted(self._before, np.uint64(key)))
        if at < len(self._before) and int(self._before[at]) == key:
            return False
        if len(self._seen) >= MAX_SEEN:
            self._seen.clear()
        self._seen.add(key)
        return True


def seen_key(visitor: str, product: str, signal: int, day: int) -> int:
    """64 bits that stand for a visitor who did this with this product on this day."""
    text = f"{visitor}|{product}|{signal}|{day}".encode()
    return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:16], 16)


def signal_weights(signal: str) -> FloatArray:
    """How much views, carts and sales count in a signal. Raises KeyError."""
    if signal == "score":
        return SCORE
    if signal == "acts":
        return np.ones(len(SIGNALS))
    weights = np.zeros(len(SIGNALS))
    weights[SIGNALS[signal]] = 1.0
    return weights


def _best(rows: IntArray, scores: FloatArray, ids: Sequence[str]) -> IntArray:
    kept = np.flatnonzero(scores > 0)
    if len(kept) > RANKED:
        # With all that tie with the last one, so that the cut goes by id, too.
        least = np.partition(scores[kept], len(kept) - RANKED)[len(kept) - RANKED]
        kept = np.flatnonzero(scores >= least)
    order = best_first(rows[kept], scores[kept], ids)[:RANKED]
    best: IntArray = rows[kept[order]]
    return best
