"""Whether this process can do its work, asked often: one check of the store serves all who ask."""

import asyncio
from collections.abc import Callable

from endcap.core.errors import EndcapError

PATIENCE = 0.5


class Readiness:
    """Knows whether the store answers, and whether the process is about to stop."""

    def __init__(self, check: Callable[[], object], patience: float = PATIENCE) -> None:
        self._check = check
        self._patience = patience
        self._task: asyncio.Task[str] | None = None
        self.stopping = False

    def stop(self) -> None:
        """From now on the process is not ready: load balancers send it nothing new."""
        self.stopping = True

    async def store(self) -> str:
        """`ok`, or what is wrong; never waits longer than `patience` seconds."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._ask())
        done, _ = await asyncio.wait([self._task], timeout=self._patience)
        if not done:
            return "does not answer"
        return self._task.result()

    async def _ask(self) -> str:
        try:
            await asyncio.to_thread(self._check)
        except EndcapError as error:
            return error.detail
        return "ok"
