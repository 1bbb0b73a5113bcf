"""Leadership: one process does the builds, and another takes over when it dies.

The holder raises the lease's beat; who wants it watches, and takes it over from exactly the beat
that has stood still for `patience` seconds of the watcher's own clock. No two clocks are compared.
A process that was stopped for long may still believe that it leads: work under a lease must be safe
when two do it, and here is (builds and the archive also hold a lock on their folder).
"""

import asyncio
import logging

from endcap.core.errors import EndcapError
from endcap.core.ports import Lease, Leases

LOG = logging.getLogger(__name__)


class Leader:
    """Wants to lead under a name; `leads` says whether it does."""

    def __init__(self, leases: Leases, name: str, holder: str, patience: float = 6.0) -> None:
        self._leases = leases
        self._name = name
        self._holder = holder
        self._patience = patience
        self._seen: tuple[Lease | None, float] = (None, 0.0)
        self._until = 0.0

    @property
    def leads(self) -> bool:
        """Whether the lease was renewed lately enough that nobody can have taken it over."""
        return asyncio.get_running_loop().time() < self._until

    async def attempt(self) -> bool:
        """Renew the lease, or take it when it is free. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        lease = await asyncio.to_thread(self._leases.lease, self._name)
        if lease is not None and lease.holder != self._holder and not self._is_stale(lease, begun):
            self._until = 0.0
            return False
        beat = lease.beat if lease else 0
        mine = await asyncio.to_thread(self._leases.claim, self._name, self._holder, beat)
        # Counted from before the claim, and less than what others wait for.
        self._until = begun + self._patience * 0.6 if mine else 0.0
        return mine

    async def run(self) -> None:
        """Keep trying until cancelled."""
        while True:
            try:
                await self.attempt()
            except EndcapError as error:
                LOG.warning("the lease %s cannot be renewed: %s", self._name, error.detail)
            await asyncio.sleep(self._patience / 4)

    def _is_stale(self, lease: Lease, now: float) -> bool:
        seen, since = self._seen
        if seen != lease:
            self._seen = (lease, now)
            return False
        return now - since >= self._patience
