"""Builds: one at a time, in the background, and the server swaps to the result."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from endcap.core.ports import EventLog, Snapshots
from endcap.core.status import BuildStatus
from endcap.core.times import Clock

from .announcing import Announce, to_nobody
from .live import LiveState

Progress = Callable[[str, float], None]
Runner = Callable[[str, Progress], Path]
"""Builds a shop's snapshot into a finished folder (blocking); reports stage and part done."""

LOG = logging.getLogger(__name__)


class BuildService:
    """Starts builds and knows how the newest one went."""

    def __init__(
        self,
        runner: Runner,
        log: EventLog,
        snapshots: Snapshots,
        live: LiveState,
        clock: Clock,
        keep: int = 3,
    ) -> None:
        self._runner = runner
        self._log = log
        self._snapshots = snapshots
        self._live = live
        self._clock = clock
        self._keep = keep
        self.announce: Announce = to_nobody
        self._status: dict[str, BuildStatus] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def status(self, shop: str) -> BuildStatus:
        """How the newest build of this process stands."""
        return self._status.get(shop, BuildStatus())

    async def start(self, shop: str) -> BuildStatus:
        """Start a build, unless one is running; either way return its status."""
        if self.status(shop).state != "running":
            self._status[shop] = BuildStatus(state="running", started_at=self._clock())
            self._tasks[shop] = asyncio.get_running_loop().create_task(self._run(shop))
        return self.status(shop)

    async def finished(self, shop: str) -> BuildStatus:
        """Wait for the running build, if there is one."""
        task = self._tasks.get(shop)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        return self.status(shop)

    async def every(
        self, shop: str, pause: float, leads: Callable[[], bool] = lambda: True
    ) -> None:
        """Build again and again, `pause` seconds apart, whenever the log has grown.

        Of several processes only the one that `leads` builds.
        """
        built = -1
        while True:
            await asyncio.sleep(pause)
            if not leads():
                continue
            last = await asyncio.to_thread(self._log.last, shop)
            if last != built:
                await self.start(shop)
                await self.finished(shop)
                built = last

    async def _run(self, shop: str) -> None:
        await self._build(shop)
        # The next build need not wait until everybody was told.
        telling = asyncio.get_running_loop().create_task(self._tell(shop, self.status(shop)))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell(self, shop: str, status: BuildStatus) -> None:
        if status.state == "done":
            took = (status.finished_at or 0) - (status.started_at or 0)
            told = {"snapshot": status.snapshot, "milliseconds": took}
            await self.announce(shop, "snapshot.built", told)
        else:
            await self.announce(shop, "snapshot.failed", {"error": status.error})

    async def _build(self, shop: str) -> None:
        def report(stage: str, done: float) -> None:
            self._change(shop, stage=stage, done=done)

        try:
            built = await asyncio.to_thread(self._runner, shop, report)
            folder = await asyncio.to_thread(self._snapshots.publish, shop, built)
            swapped = await self._live.swap(shop, folder)
            await asyncio.to_thread(self._snapshots.prune, shop, self._keep)
        except Exception as error:
            LOG.exception("build failed", extra={"shop": shop})
            self._change(shop, state="failed", error=str(error), finished_at=self._clock())
            return
        self._change(
            shop,
            state="done" if swapped else "failed",
            done=1.0,
            snapshot=self._live.state(shop).joined.version,
            finished_at=self._clock(),
            error=None if swapped else f"the snapshot was refused: {self._live.refused}",
        )

    def _change(self, shop: str, **changes: object) -> None:
        self._status[shop] = msgspec.structs.replace(self.status(shop), **changes)
