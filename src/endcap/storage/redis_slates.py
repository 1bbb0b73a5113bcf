"""Slates in Redis, for all processes: gone after their moment, and never waited for."""

import contextlib
from typing import cast

from .redis_link import CacheUnavailable, RedisLink


class RedisSlates:
    """See the port `SharedSlates`. One key for each slate, so any slot of a cluster will do."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def get(self, key: str) -> bytes | None:
        """See the port."""
        try:
            # MGET has nothing to say against a value of another type.
            found = await self._link.call(lambda redis: redis.mget(key))
        except CacheUnavailable:
            return None
        return cast("bytes | None", found[0])

    async def put(self, key: str, content: bytes, seconds: float) -> None:
        """See the port."""
        with contextlib.suppress(CacheUnavailable):
            await self._link.call(
                lambda redis: redis.set(key, content, px=max(1, round(seconds * 1_000)))
            )
