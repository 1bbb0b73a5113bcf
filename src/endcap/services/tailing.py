"""Keeping the tail at the end of the log: every process folds what any process has written."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from endcap.catalog.columns import Columns
from endcap.core.errors import EndcapError
from endcap.core.event import DeadLetter, Event
from endcap.core.ports import EventLog
from endcap.recommend.query import State
from endcap.relations.tail import Tail

from .served import Committer

PAGE = 500
# A shop that was never built starts from its newest events only; the first build brings the rest.
MOST = 200_000
LOG = logging.getLogger(__name__)


async def catch_up(
    log: EventLog, shop: str, tail: Tail, columns: Columns, still: Callable[[], bool]
) -> int:
    """Fold the log's events after `tail.seq` while `still()`; how many were folded.

    Raises StoreUnavailable when the log cannot be read.
    """
    folded = 0
    while True:
        page = await asyncio.to_thread(log.after, shop, tail.seq, PAGE)
        if not page or not still():
            return folded
        tail.fold(page, columns)
        folded += len(page)
        if len(page) < PAGE:
            return folded


async def skip_most(log: EventLog, shop: str, tail: Tail) -> None:
    """Leave out all but the newest `MOST` events of the log."""
    last = await asyncio.to_thread(log.last, shop)
    tail.seq = max(tail.seq, last - MOST)


class Follower:
    """Folds new events into a shop's live state: at once when woken, else every `pause` seconds."""

    def __init__(
        self, states: Callable[[str], State], log: EventLog, pause: float = 0.2, rest: float = 0.02
    ) -> None:
        self._states = states
        self._log = log
        self._pause = pause
        self._rest = rest
        self._woken: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.failed = 0

    def wake(self, shop: str) -> None:
        """This process has written events of the shop: fold them now."""
        self._woken[shop].set()

    async def follow(self, shop: str) -> int:
        """Fold what is new; how many events that was."""
        state = self._states(shop)

        def still() -> bool:
            # A new snapshot brings its own tail; the page just read may not fit it.
            return self._states(shop).tail is state.tail

        return await catch_up(self._log, shop, state.tail, state.columns, still)

    async def run(self, shop: str) -> None:
        """Follow the log until cancelled; a log that cannot be read is tried again."""
        while True:
            self._woken[shop].clear()
            try:
                await self.follow(shop)
            except EndcapError as error:
                self.failed += 1
                LOG.warning("the log cannot be followed: %s", error.detail)
                await asyncio.sleep(1.0)
            await asyncio.sleep(self._rest)
            try:
                await asyncio.wait_for(self._woken[shop].wait(), self._pause)
            except TimeoutError:
                continue


class WakingCommitter:
    """A committer that wakes the follower once its events are durable."""

    def __init__(self, committer: Committer, wake: Callable[[str], None]) -> None:
        self._committer = committer
        self._wake = wake

    async def submit(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """As the committer does."""
        fresh = await self._committer.submit(events, dead)
        for shop in {event.shop for event in events}:
            self._wake(shop)
        return fresh
