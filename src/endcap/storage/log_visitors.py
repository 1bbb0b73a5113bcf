"""Visitor state for several processes: read from the log for every answer, so never stale.

When the store does not answer, the state that was last read stands in, and the answer says so.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from endcap.core.breaker import Breaker
from endcap.core.errors import EndcapError
from endcap.core.event import Event, VisitorState
from endcap.core.ports import EventLog
from endcap.ingest.fold import fold

from .visitors import read_events

DEGRADED = ("store",)


class LogVisitors:
    """Reads within `patience` seconds; keeps the states of the `limit` visitors read last."""

    def __init__(
        self, log: EventLog, limit: int = 50_000, patience: float = 0.5, threads: int = 8
    ) -> None:
        self._log = log
        self._limit = limit
        self._patience = patience
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="visitors")
        self._breaker = Breaker()
        self._known: OrderedDict[tuple[str, str], VisitorState] = OrderedDict()

    async def recent(self, shop: str, visitor: str) -> VisitorState:
        """See the port."""
        loop = asyncio.get_running_loop()
        if not self._breaker.allows(loop.time()):
            return self._last_known(shop, visitor)
        try:
            async with asyncio.timeout(self._patience):
                state = await loop.run_in_executor(self._threads, self._read, shop, visitor)
        except (TimeoutError, EndcapError):
            self._breaker.failed(loop.time())
            return self._last_known(shop, visitor)
        self._breaker.succeeded()
        self._known[shop, visitor] = state
        self._known.move_to_end((shop, visitor))
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return state

    async def fold(self, events: Sequence[Event]) -> None:
        """See the port. They are in the log, which is read again."""

    async def forget(self, shop: str, visitor: str) -> None:
        """See the port."""
        self._known.pop((shop, visitor), None)

    def close(self) -> None:
        """Let the threads go; one that hangs in the store is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _last_known(self, shop: str, visitor: str) -> VisitorState:
        state = self._known.get((shop, visitor), VisitorState())
        return msgspec.structs.replace(state, degraded=DEGRADED)

    def _read(self, shop: str, visitor: str) -> VisitorState:
        state = VisitorState()
        fold(state, read_events(self._log, shop, visitor))
        return state
