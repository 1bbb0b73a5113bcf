"""Redis as something that may be missing: short time limits, a breaker, one probe a second.

`call` never waits long and raises CacheUnavailable for every kind of trouble: refused, hung, slow,
loading, read-only, full. Whatever this process could not invalidate while Redis was away is
invalidated before anything is read from it again.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from endcap.core.errors import ConfigurationError
from endcap.core.failures import said

T = TypeVar("T")
LOG = logging.getLogger(__name__)
PATIENCE = 0.1
PROBE_SECONDS = 1.0
PROBE_TTL = 10
MOST_STALE = 20_000
NAME = "redis"
PROBE = "endcap:probe:"


class CacheUnavailable(Exception):
    """The cache does not answer, or must not be trusted just now; go on without it."""


class RedisLink:
    """A client that gives up at once when Redis is away, and notices when it is back.

    It also writes every second: a Redis that can only be read would show what is out of date.
    """

    def __init__(
        self,
        url: str,
        patience: float = PATIENCE,
        pause: float = PROBE_SECONDS,
        expiry: float = 3_600.0,
    ) -> None:
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=patience,
                socket_connect_timeout=patience,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=0,
                max_connections=64,
                protocol=2,
            )
        except ValueError as error:
            raise ConfigurationError(f"cache_url: {error}") from error
        self._patience = patience
        self._pause = pause
        self._probe_key = PROBE + secrets.token_hex(8)
        self._task: asyncio.Task[None] | None = None
        self._is_up = False
        self._stale: set[str] = set()
        self._expiry = expiry
        self._untrusted_until = 0.0
        self.refresh: Callable[[Redis, list[str]], Awaitable[None]] | None = None

    @property
    def is_up(self) -> bool:
        """Whether calls are tried."""
        return self._is_up

    async def start(self) -> None:
        """Look once, then every second in the background."""
        await self.probe()
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def call(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """Do it on Redis. Raises CacheUnavailable, at once while Redis is known to be away."""
        if not self._is_up:
            raise CacheUnavailable
        try:
            async with asyncio.timeout(self._patience * 2):
                return await work(self._redis)
        except (RedisError, OSError, TimeoutError) as error:
            self._down(error)
            raise CacheUnavailable from error

    def mark_stale(self, keys: list[str]) -> None:
        """These could not be invalidated; nothing is read until they have been."""
        self._is_up = False
        self._stale.update(keys)
        if len(self._stale) > MOST_STALE:
            # Too many to remember: Redis is used again when whatever is there now has expired.
            self._stale.clear()
            self._untrusted_until = asyncio.get_running_loop().time() + self._expiry

    async def probe(self) -> bool:
        """Write something, and set right what was missed; whether Redis can be used."""
        try:
            async with asyncio.timeout(self._patience * 4):
                await self._redis.set(self._probe_key, b"1", ex=PROBE_TTL)
                if self._stale and self.refresh is not None:
                    await self.refresh(self._redis, list(self._stale))
        except (RedisError, OSError, TimeoutError) as error:
            self._down(error)
            return False
        self._stale.clear()
        if asyncio.get_running_loop().time() < self._untrusted_until:
            return False
        if not self._is_up:
            LOG.info("redis is in use")
        self._is_up = True
        return True

    async def stop(self) -> None:
        """Close every connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._redis.aclose()

    def _down(self, error: BaseException) -> None:
        if self._is_up:
            LOG.warning("redis is left out: %s", said(error))
        self._is_up = False

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self.probe()
