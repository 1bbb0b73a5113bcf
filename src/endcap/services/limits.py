"""Limits: token buckets by key, visitor and address, in this process's memory and, where there is a
Redis, shared by all replicas.

A bucket holds up to a minute's worth and fills evenly. The own bucket is asked first: it never
holds less than the shared one would, so what it refuses costs nothing, and it is what counts while
the shared one cannot be asked. Buckets not used for longest are forgotten when there are too many,
which can only be in the caller's favour.
"""

from collections import OrderedDict
from typing import Protocol

from endcap.core.errors import TooManyRequests
from endcap.core.times import MINUTE, SECOND, Clock


class SharedBuckets(Protocol):
    """Buckets that several processes take from."""

    async def take(self, what: str, name: str, size: int, cost: int) -> int | None:
        """Take; the milliseconds to wait if there is too little (then nothing is taken), else 0.

        None when they cannot be asked. Raises nothing and never waits long.
        """


class Buckets:
    """Buckets of one kind. `per_minute` 0 turns the limit off."""

    def __init__(
        self,
        what: str,
        per_minute: int,
        clock: Clock,
        shared: SharedBuckets | None = None,
        remembered: int = 100_000,
    ) -> None:
        self._what = what
        self._per_minute = per_minute
        self._clock = clock
        self._shared = shared
        self._remembered = remembered
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self.refused = 0

    async def take(self, name: str, cost: int = 1, per_minute: int = 0) -> None:
        """Take `cost` from a bucket (of its own size when `per_minute` is given).

        Raises TooManyRequests with the seconds to wait; nothing is taken then.
        """
        size = per_minute or self._per_minute
        if size <= 0:
            return
        self._take_here(name, size, cost)
        if self._shared is None:
            return
        wait = await self._shared.take(self._what, name, size, cost)
        if wait:
            left, at = self._buckets.get(name, (0.0, 0))
            self._buckets[name] = (left + cost, at)
            raise self._refusal(size, wait)

    def _take_here(self, name: str, size: int, cost: int) -> None:
        now = self._clock()
        left, at = self._buckets.get(name, (float(size), now))
        left = min(float(size), left + max(0, now - at) * size / MINUTE)
        # More than a bucket holds is let through when it is full, so that it can pass at all.
        if left < min(cost, size):
            raise self._refusal(size, (min(cost, size) - left) * MINUTE / size)
        self._buckets[name] = (left - cost, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)

    def _refusal(self, size: int, wait: float) -> TooManyRequests:
        self.refused += 1
        error = TooManyRequests(f"more than {size:,} a minute for this {self._what}")
        error.retry_after = max(1, round(wait / SECOND))
        return error
