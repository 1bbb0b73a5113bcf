"""Following other processes on the same store: catalogue, control data and snapshots."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from endcap.core.errors import EndcapError
from endcap.core.ports import Control

from .live import LiveState

Reload = Callable[[str], Awaitable[None]]
LOG = logging.getLogger(__name__)
PAUSE = 0.25
# Looking for a snapshot lists a folder; it is new every few minutes.
SNAPSHOT_TURNS = 4


class ReplicaFollower:
    """Asks the store every `pause` seconds what changed, with one small read of each kind.

    `reloads` says, per kind of control data, what to read again when a record of it was put.
    """

    def __init__(
        self,
        control: Control,
        live: LiveState,
        reloads: Mapping[str, Reload],
        pause: float = PAUSE,
    ) -> None:
        self._control = control
        self._live = live
        self._reloads = reloads
        self._pause = pause
        self._marks: dict[str, dict[str, int]] = {}
        self.failed = 0

    async def start(self, shop: str) -> None:
        """Remember how things stand; called before the shop is loaded, so nothing is missed."""
        self._marks[shop] = await asyncio.to_thread(self._control.marks, shop)

    async def follow(self, shop: str, snapshots: bool = True) -> None:
        """Take in what is new. Raises StoreUnavailable."""
        await self._live.follow(shop)
        before = self._marks.get(shop, {})
        now = await asyncio.to_thread(self._control.marks, shop)
        for kind, reload in self._reloads.items():
            if now.get(kind) != before.get(kind):
                await reload(shop)
        self._marks[shop] = now
        if snapshots:
            await self._live.follow_snapshot(shop)

    async def run(self, shop: str) -> None:
        """Follow until cancelled; a store that does not answer is asked again."""
        turn = 0
        while True:
            await asyncio.sleep(self._pause)
            turn += 1
            try:
                await self.follow(shop, turn % SNAPSHOT_TURNS == 0)
            except EndcapError as error:
                self.failed += 1
                LOG.warning("changes of other processes cannot be read: %s", error.detail)
                await asyncio.sleep(self._pause)
            except Exception:
                self.failed += 1
                LOG.exception("changes of other processes cannot be taken in", extra={"shop": shop})
                await asyncio.sleep(1.0)
