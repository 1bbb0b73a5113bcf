"""Limits: token buckets by key, visitor and address, in this process's memory.

A bucket holds up to a minute's worth and fills evenly. Buckets not used for longest are forgotten
when there are too many, which can only be in the caller's favour.
"""

from collections import OrderedDict

from endcap.core.errors import TooManyRequests
from endcap.core.times import MINUTE, SECOND, Clock


class Buckets:
    """Buckets of one kind. `per_minute` 0 turns the limit off."""

    def __init__(self, what: str, per_minute: int, clock: Clock, remembered: int = 100_000) -> None:
        self._what = what
        self._per_minute = per_minute
        self._clock = clock
        self._remembered = remembered
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self.refused = 0

    def take(self, name: str, cost: int = 1, per_minute: int = 0) -> None:
        """Take `cost` from a bucket (of its own size when `per_minute` is given).

        Raises TooManyRequests with the seconds to wait; nothing is taken then.
        """
        size = per_minute or self._per_minute
        if size <= 0:
            return
        now = self._clock()
        left, at = self._buckets.get(name, (float(size), now))
        left = min(float(size), left + max(0, now - at) * size / MINUTE)
        # More than a bucket holds is let through when it is full, so that it can pass at all.
        if left < min(cost, size):
            self.refused += 1
            error = TooManyRequests(f"more than {size:,} a minute for this {self._what}")
            error.retry_after = max(1, round((min(cost, size) - left) * MINUTE / size / SECOND))
            raise error
        self._buckets[name] = (left - cost, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
