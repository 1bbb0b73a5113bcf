"""Exponentially decayed counts by row, without ever touching a count to make it older.

Forward decay (Cormode, Shkapenyuk, Srivastava, Xu 2009): an event at `t` adds
exp((t - landmark) / tau); the decayed count at `now` is the sum times
exp(-(now - landmark) / tau). All rows age by the same factor, so their order never changes by
waiting, an event may come late, and two tables are merged by adding them.

Ages are counted in whole steps, of which a lifetime has `STEPS`: an event of the present step
counts 1. So rows with as many events in each step have the same count, and `scores` makes them
equal to the last bit, whatever order they were added in and whatever the landmark.
"""

import math

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray, grown
from endcap.catalog.ranking import levelled

# exp of more than this is moved to a newer landmark long before it could overflow.
FAR = 300.0
# 15 s in an hour, 6 min in a day, 42 min in 7 days, 3 h in 30 days.
STEPS = 240


def began(moment: int, lifetime: int) -> int:
    """When the step of a moment began, all in milliseconds."""
    return moment - moment % (lifetime // STEPS)


def step_of(moment: int, lifetime: int) -> int:
    """The number of the step of a moment; counts age from one step to the next only."""
    return moment // (lifetime // STEPS)


def aged(now: int, landmark: int, lifetime: int) -> float:
    """How many lifetimes lie between a landmark and the present step."""
    return (began(now, lifetime) - landmark) / lifetime


class Decayed:
    """Decayed counts of some rows, one column per mean lifetime; rows without events cost 4 bytes.

    `lifetimes` are milliseconds after which an event counts 1/e.
    """

    def __init__(self, lifetimes: tuple[int, ...], signals: int, landmark: int = 0) -> None:
        self.lifetimes = lifetimes
        self.signals = signals
        self.landmark = landmark
        self.used = 0
        self.rows: IntArray = np.empty(0, np.int32)
        self._slots: IntArray = np.empty(0, np.int32)
        # [lifetime, signal, slot]
        self._sums: FloatArray = np.zeros((len(lifetimes), signals, 0))

    def add(self, row: int, signal: int, moment: int) -> None:
        """Count one event of the row."""
        if not self.used and not self.landmark:
            self.landmark = moment
        if moment - self.landmark > FAR * min(self.lifetimes):
            self.move(moment)
        slot = self._slot(row)
        for place, lifetime in enumerate(self.lifetimes):
            age = began(moment, lifetime) - self.landmark
            self._sums[place, signal, slot] += math.exp(age / lifetime)

    def merge(self, rows: IntArray, sums: FloatArray) -> None:
        """Add sums `[lifetime, signal, row]` that were taken at this landmark; each row once."""
        top = int(rows.max(initial=-1))
        if top >= len(self._slots):
            self._slots = grown(self._slots, max(1024, 2 * top), -1)
        fresh = rows[self._slots[rows] < 0]
        self._room(self.used + len(fresh))
        self._slots[fresh] = np.arange(self.used, self.used + len(fresh), dtype=np.int32)
        self.rows[self.used : self.used + len(fresh)] = fresh
        self.used += len(fresh)
        self._sums[:, :, self._slots[rows]] += sums

    def move(self, landmark: int) -> None:
        """Express all sums at another landmark; the decayed counts stay what they are."""
        for place, lifetime in enumerate(self.lifetimes):
            self._sums[place] *= math.exp(-(landmark - self.landmark) / lifetime)
        self.landmark = landmark

    def at(self, rows: IntArray, place: int, now: int, weights: FloatArray) -> FloatArray:
        """Decayed counts of the rows at `now`, the signals added up by their weights."""
        return self._of(rows, place, weights) * self._factor(place, now)

    def scores(self, rows: IntArray, place: int, now: int, weights: FloatArray) -> FloatArray:
        """The same to order by: equal where the counts are, but for 1/65,536 of them.

        Which counts fall together does not depend on `now` or on the landmark: seen from a whole
        number of half-lives after 1970, only the exponent of a double depends on that number.
        """
        lifetime = self.lifetimes[place]
        whole = math.exp(math.fmod(self.landmark, lifetime * math.log(2)) / lifetime)
        return levelled(self._of(rows, place, weights) * whole) * (self._factor(place, now) / whole)

    def all(self, place: int, now: int, weights: FloatArray) -> FloatArray:
        """Decayed counts of every row in `rows`, as `at` gives them."""
        counts: FloatArray = weights @ self._sums[place][:, : self.used]
        return counts * self._factor(place, now)

    def _of(self, rows: IntArray, place: int, weights: FloatArray) -> FloatArray:
        """Sums of the rows at the landmark; 0 for a row without events."""
        if not self.used:
            return np.zeros(len(rows))
        known = np.minimum(rows, len(self._slots) - 1)
        slots = np.where(rows < len(self._slots), self._slots[known], -1)
        sums = weights @ self._sums[place][:, np.maximum(slots, 0)]
        counts: FloatArray = np.where(slots >= 0, sums, 0.0)
        return counts

    def _factor(self, place: int, now: int) -> float:
        return math.exp(min(FAR, -aged(now, self.landmark, self.lifetimes[place])))

    def _room(self, slots: int) -> None:
        held = self._sums.shape[2]
        if slots > held:
            capacity = max(256, slots, 2 * held)
            larger = np.zeros((len(self.lifetimes), self.signals, capacity))
            larger[:, :, :held] = self._sums
            self._sums, self.rows = larger, grown(self.rows, capacity, -1)

    def _slot(self, row: int) -> int:
        if row >= len(self._slots):
            self._slots = grown(self._slots, max(1024, 2 * row), -1)
        slot = int(self._slots[row])
        if slot < 0:
            slot = self.used
            self._room(slot + 1)
            self._slots[row] = slot
            self.rows[slot] = row
            self.used += 1
        return slot
