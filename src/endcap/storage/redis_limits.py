"""Limits shared by replicas: one token bucket per key in Redis, taken from in one atomic step.

A key is a hash under a key of its own, so that neither ids nor addresses are in Redis; each script
call names one key, which any cluster can route; a key expires when its bucket is full again. The
time is Redis's own, so clocks of replicas do not matter.
"""

import hashlib
import hmac
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from .redis_link import CacheUnavailable, RedisLink

PREFIX = "endcap:limit:"
TAKE = """
local size, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(held[1]) or size, tonumber(held[2]) or now
left = math.min(size, left + math.max(0, now - at) * size / 60000)
local need = math.min(cost, size)
if left < need then return math.ceil((need - left) * 60000 / size) end
left = left - cost
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%d', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((size - left) * 60000 / size) + 1000)
return 0
"""
SHA = hashlib.sha1(TAKE.encode()).hexdigest()  # noqa: S324 - how Redis names scripts


class RedisLimits:
    """`services.limits.SharedBuckets` on a link that gives up at once when Redis is away."""

    def __init__(self, link: RedisLink, key: bytes) -> None:
        self._link = link
        self._key = key

    async def take(self, what: str, name: str, size: int, cost: int) -> int | None:
        """See the port."""
        hashed = hmac.digest(self._key, f"{what}\0{name}".encode(), "sha256").hex()[:32]
        try:
            return await self._link.call(lambda redis: self._run(redis, hashed, (size, cost)))
        except CacheUnavailable:
            return None

    async def _run(self, redis: Redis, hashed: str, numbers: tuple[int, int]) -> int:
        arguments = (PREFIX + hashed, *map(str, numbers))
        try:
            return int(cast(int, await redis.evalsha(SHA, 1, *arguments)))
        except NoScriptError:  # the first time, and after a restart
            return int(cast(int, await redis.eval(TAKE, 1, *arguments)))
