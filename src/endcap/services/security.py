"""Everything about who may do what, put together, loaded, and kept tidy."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from endcap.access.sealing import Sealer, derived
from endcap.core.accounts import Account
from endcap.core.errors import EndcapError
from endcap.core.ports import Control
from endcap.core.times import Clock

from .audit import AuditLog
from .authority import Authority
from .directory import Directory
from .grants import Grants
from .keyring import Keyring
from .limits import Buckets, SharedBuckets
from .oidc_sign_in import OidcSignIn
from .people import People

LOG = logging.getLogger(__name__)
SWEEP_SECONDS = 600
EXTERNAL_SECONDS = 5


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a minute: of each client or secret key, publishable key, visitor and address."""

    client: int = 0
    browser_key: int = 60_000
    visitor: int = 300
    address: int = 1_200


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """The parts, each for one question."""

    directory: Directory
    keyring: Keyring
    authority: Authority
    grants: Grants
    people: People
    audit: AuditLog
    clients: Buckets
    browser_keys: Buckets
    visitors: Buckets
    addresses: Buckets
    clock: Clock
    secret: bytes
    oidc: OidcSignIn | None = None

    async def load(self, shops: Sequence[str]) -> None:
        """Read everything; needed before the first request."""
        await self.keyring.load()
        for shop in shops:
            await self.directory.load(shop)
        await self.authority.load()
        await self.tend_external()

    async def tend_external(self) -> None:
        """Fetch the keys of an external issuer when it is time to."""
        if self.authority.external is not None:
            await self.authority.external.tend()

    async def refresh(self) -> None:
        """See what other replicas changed."""
        await self.keyring.load()
        for shop in self.directory.shops:
            await self.directory.load(shop)
        await self.authority.load()

    async def sweep(self) -> None:
        """Purge what is over and rotate the signing key when it is due."""
        await self.people.sweep()
        await self.grants.sweep()
        await self.authority.sweep()
        await self.keyring.tend()

    def has_accounts(self, shop: str) -> bool:
        """Whether somebody can sign in already."""
        return bool(self.directory.all(shop, Account))

    @asynccontextmanager
    async def running(self, refresh_seconds: float = 0) -> AsyncIterator[None]:
        """Sweep now and then; with `refresh_seconds`, look for other replicas' changes."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(_every(SWEEP_SECONDS, self.sweep))]
        if self.authority.external is not None:
            tasks.append(loop.create_task(_every(EXTERNAL_SECONDS, self.tend_external)))
        if refresh_seconds:
            tasks.append(loop.create_task(_every(refresh_seconds, self.refresh)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            self.people.hashing.close()


def make_security(
    control: Control,
    secret: bytes,
    issuer: str,
    limits: Limits,
    clock: Clock,
    shared: SharedBuckets | None = None,
) -> Security:
    """All parts over one control store; `shared` are the buckets of all replicas, if any."""
    directory = Directory(control, clock)
    keyring = Keyring(control, Sealer(secret, "signing-keys"), clock)
    authority = Authority(keyring, directory, control, issuer, clock)
    return Security(
        directory=directory,
        keyring=keyring,
        authority=authority,
        grants=Grants(authority, directory, control, clock),
        people=People(directory, control, secret, clock, shared),
        audit=AuditLog(control, derived(secret, "audit:v1"), clock),
        clients=Buckets("client", limits.client, clock, shared),
        browser_keys=Buckets("key", limits.browser_key, clock, shared),
        visitors=Buckets("visitor", limits.visitor, clock, shared),
        addresses=Buckets("address", limits.address, clock, shared),
        clock=clock,
        secret=secret,
    )


async def _every(pause: float, work: object) -> None:
    assert callable(work)
    while True:
        await asyncio.sleep(pause)
        try:
            await work()
        except EndcapError as error:
            LOG.warning("upkeep of accounts failed: %s", error.detail)
