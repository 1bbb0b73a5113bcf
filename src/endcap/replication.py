"""What a process on a shared store has beside one that is alone."""

import os
import secrets
import socket
from collections.abc import Coroutine, Mapping
from typing import Any

import msgspec

from endcap.services.builds import BuildService
from endcap.services.leadership import Leader
from endcap.services.live import LiveState
from endcap.services.replicas import Reload, ReplicaFollower
from endcap.settings import Settings
from endcap.storage.stores import Store


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
