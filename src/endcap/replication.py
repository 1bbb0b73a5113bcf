"""What a process on a shared store has beside one that is alone."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from endcap.access.sealing import derived
from endcap.core.errors import ConfigurationError
from endcap.core.ports import VisitorStore
from endcap.services.builds import BuildService
from endcap.services.leadership import Leader
from endcap.services.limits import SharedBuckets
from endcap.services.live import LiveState
from endcap.services.replicas import Reload, ReplicaFollower
from endcap.services.slate_cache import SlateCache
from endcap.settings import Settings
from endcap.storage.log_visitors import LogVisitors
from endcap.storage.memcached_slates import MemcachedSlates
from endcap.storage.stores import Store
from endcap.storage.visitors import MemoryVisitors

if TYPE_CHECKING:
    # A driver that only comes with `endcap[redis]`.
    from endcap.storage.redis_link import RedisLink


class Replication(msgspec.Struct, frozen=True):
    """Follows the others, and leads or waits to; both None on a store of one's own."""

    follower: ReplicaFollower | None = None
    leader: Leader | None = None

    def leads(self) -> bool:
        """Whether this process does what only one should."""
        return self.leader is None or self.leader.leads

    async def start(self, shop: str) -> None:
        """Before the shop is loaded: what changes from now on will be noticed."""
        if self.follower is not None:
            await self.follower.start(shop)

    def work(self, shops: list[str], leading: bool, live: bool) -> list[Coroutine[Any, Any, None]]:
        """What runs in the background."""
        work: list[Coroutine[Any, Any, None]] = []
        if self.follower is not None and live:
            work += [self.follower.run(shop) for shop in shops]
        if self.leader is not None and leading:
            work.append(self.leader.run())
        return work


class VisitorAccess(msgspec.Struct, frozen=True):
    """Where visitor state and slates are kept, and what has to be started and closed for it."""

    store: VisitorStore
    link: "RedisLink | None" = None
    log: LogVisitors | None = None
    slates: SlateCache | None = None
    memcached: MemcachedSlates | None = None

    def limits(self, secret: bytes) -> SharedBuckets | None:
        """Limits that all replicas take from; None without Redis."""
        if self.link is None:
            return None
        from endcap.storage.redis_limits import RedisLimits

        return RedisLimits(self.link, derived(secret, "limits:v1"))

    async def memcached_answers(self) -> bool:
        """Whether Memcached gives back what is put."""
        if self.memcached is None:
            return False
        key = f"endcap:probe:{secrets.token_hex(8)}"
        await self.memcached.put(key, b"1", 1.0)
        return await self.memcached.get(key) == b"1"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While requests may read it."""
        if self.link is not None:
            await self.link.start()
        try:
            yield
        finally:
            if self.slates is not None:
                await self.slates.stop()
            if self.memcached is not None:
                await self.memcached.stop()
            if self.link is not None:
                await self.link.stop()
            if self.log is not None:
                self.log.close()


def visitor_access(settings: Settings, store: Store) -> VisitorAccess:
    """In memory on a store of one's own, else read from the log; in front of it Redis, if any.

    Slates are kept in memory, and in Redis or Memcached for the other processes.
    """
    log = LogVisitors(store.events) if store.shared else None
    behind: VisitorStore = log or MemoryVisitors(store.events)
    seconds = settings.slate_seconds
    if not settings.cache_url:
        return VisitorAccess(behind, None, log, SlateCache(seconds) if seconds else None)
    if settings.cache_url.startswith("memcached:"):
        memcached = MemcachedSlates(settings.cache_url)
        slates = SlateCache(seconds, memcached) if seconds else None
        return VisitorAccess(behind, None, log, slates, memcached)
    try:
        from endcap.storage.redis_link import RedisLink
        from endcap.storage.redis_slates import RedisSlates
        from endcap.storage.redis_visitors import RedisVisitors
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "cache_url: Redis needs a driver: pip install 'endcap[redis]'"
        ) from error
    link = RedisLink(settings.cache_url)
    slates = SlateCache(seconds, RedisSlates(link)) if seconds else None
    return VisitorAccess(RedisVisitors(link, behind), link, log, slates)


def replication_of(store: Store, live: LiveState, reloads: Mapping[str, Reload]) -> Replication:
    """What the store calls for; `reloads` says per kind of control data what to read again."""
    if not store.shared:
        return Replication()
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[:200]
    return Replication(
        ReplicaFollower(store.control, live, reloads), Leader(store.leases, "work", holder)
    )


def builds_of(
    builds: BuildService, settings: Settings, leads: Replication
) -> list[Coroutine[Any, Any, None]]:
    """Automatic builds of every shop."""
    if not settings.build_every:
        return []
    return [builds.every(shop, settings.build_every, leads.leads) for shop in settings.shop_hosts]
