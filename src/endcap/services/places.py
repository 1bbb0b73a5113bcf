"""The places where a visitor's data may lie, each with how it is removed there."""

import asyncio
from collections.abc import AsyncIterator, Callable

from endcap.core.errors import StoreUnavailable
from endcap.core.ports import Control, EventLog, Snapshots, VisitorStore

from .builds import BuildService
from .gate import KIND
from .group_commit import GroupCommitter
from .live import LiveState
from .segments import TAGS, SegmentService
from .served import ServedLog

PAGE = 2_000


class InMemory:
    """Visitor state, corrections and tags in memory (or in a cache that replicas share)."""

    name = "memory"

    def __init__(self, visitors: VisitorStore, live: LiveState, segments: SegmentService) -> None:
        self._visitors = visitors
        self._live = live
        self._segments = segments

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        for visitor in visitors:
            await self._visitors.forget(shop, visitor)
            merchant = self._live.state(shop).merchant
            merchant.corrections.pop(visitor, None)
            merchant.ledger.forget(visitor)
            self._segments.forget(shop, visitor)
        return 0

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place; state of a suppressed visitor is not read again."""
        return 0


class InLog:
    """Events and refused events in the log, after all that waits to be written is there."""

    name = "log"

    def __init__(
        self, log: EventLog, committer: GroupCommitter, served: ServedLog, grace: float
    ) -> None:
        self._log = log
        self._committer = committer
        self._served = served
        self._grace = grace

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place. Other replicas are given `grace` seconds to hear of the suppression."""
        await asyncio.sleep(self._grace)
        await self._served.flush()
        await self._committer.submit((), ())
        return sum(
            [await asyncio.to_thread(self._log.erase, shop, visitor) for visitor in visitors]
        )

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        found = [await asyncio.to_thread(self._log.by_visitor, shop, v, 1) for v in visitors]
        return sum(map(len, found))


class InControl:
    """Consent, profile corrections and tags, with their history."""

    name = "consent"
    kinds = (KIND, "profile", TAGS)

    def __init__(self, control: Control) -> None:
        self._control = control

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        both = [(kind, visitor) for kind in self.kinds for visitor in visitors]
        return sum([await asyncio.to_thread(self._control.purge, shop, *one) for one in both])

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        both = [(kind, visitor) for kind in self.kinds for visitor in visitors]
        found = [await asyncio.to_thread(self._control.history, shop, *one) for one in both]
        return sum(map(len, found))


async def named(log: EventLog, control: Control, shop: str) -> AsyncIterator[set[str]]:
    """Everybody the store names, in pages: in events, refused events and control data."""
    after = 0
    while page := await asyncio.to_thread(log.after, shop, after, PAGE):
        after = page[-1].seq
        yield {name for event in page for name in (event.visitor, event.merged) if name}
    after = 0
    while refused := await asyncio.to_thread(log.dead_letters, shop, after, PAGE):
        after = refused[-1].seq
        yield {letter.visitor for letter in refused if letter.visitor}
    for kind in InControl.kinds:
        last = ""
        while records := await asyncio.to_thread(control.page, shop, kind, last, PAGE):
            last = records[-1].name
            yield {record.name for record in records}


class InArchive:
    """The Parquet archive, and the rollups made of it."""

    name = "archive"

    def __init__(
        self,
        forget: Callable[[str, frozenset[str]], int],
        held: Callable[[str, frozenset[str]], int],
        builds: BuildService,
    ) -> None:
        self._forget = forget
        self._held = held
        self._builds = builds

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place. A build under way is let finish first: it reads these files."""
        await self._builds.finished(shop)
        return await asyncio.to_thread(self._forget, shop, visitors)

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        return await asyncio.to_thread(self._held, shop, visitors)


class InBackups:
    """Backups: the key that seals the visitor's rows in all of them."""

    name = "backups"

    def __init__(
        self,
        forget: Callable[[list[str]], int],
        held: Callable[[list[str]], int],
        subject: Callable[[str, str], str],
    ) -> None:
        self._forget = forget
        self._held = held
        self._subject = subject

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        return await asyncio.to_thread(self._forget, [self._subject(shop, v) for v in visitors])

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place."""
        return await asyncio.to_thread(self._held, [self._subject(shop, v) for v in visitors])


class InSnapshots:
    """Snapshots, which count the visitor in: a new one is built and the older ones go."""

    name = "snapshots"

    def __init__(self, snapshots: Snapshots, builds: BuildService, live: LiveState) -> None:
        self._snapshots = snapshots
        self._builds = builds
        self._live = live

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place. Raises StoreUnavailable when the build fails."""
        if await asyncio.to_thread(self._snapshots.latest, shop) is None:
            await self._live.recount(shop)
            return 0
        # A build that began before the log was purged would bring the visitor back.
        await self._builds.finished(shop)
        await self._builds.start(shop)
        status = await self._builds.finished(shop)
        if status.state != "done":
            raise StoreUnavailable(f"the snapshot could not be built again: {status.error}")
        return await asyncio.to_thread(self._snapshots.prune, shop, 1)

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """See Place; a snapshot names no visitor."""
        return 0
