"""Group commit: whatever waits while one transaction is being synced goes into the next one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from endcap.core.errors import EndcapError, Overloaded, StoreUnavailable
from endcap.core.event import DeadLetter, Event
from endcap.core.failures import kind_of
from endcap.core.ports import EventLog

# Longer than a server takes to end a transaction that hangs; shorter than a client waits.
PATIENCE = 8.0


class Waiting(NamedTuple):
    """One submission and the future its caller waits on."""

    events: Sequence[Event]
    dead: Sequence[DeadLetter]
    answer: asyncio.Future[list[bool]]

    @property
    def size(self) -> int:
        """How many rows it brings."""
        return len(self.events) + len(self.dead)


class GroupCommitter:
    """Appends to the log from one thread, many submissions per transaction.

    A lone submission is committed at once. At most `per_commit` rows go into a transaction (a
    larger submission goes alone), and at most `waiting` rows wait.
    """

    def __init__(
        self,
        log: EventLog,
        per_commit: int = 5_000,
        waiting: int = 50_000,
        patience: float = PATIENCE,
    ) -> None:
        self._log = log
        self._per_commit = per_commit
        self._limit = waiting
        self._patience = patience
        self._queue: deque[Waiting] = deque()
        self._rows = 0
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._stopped = False

    async def submit(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """Return, once all is synced to disk, per event whether it was new.

        Raises StoreUnavailable when the log refused (nothing of it is stored then), Overloaded
        when too much waits already.
        """
        if self._stopped:
            raise StoreUnavailable("the server is stopping")
        loop = asyncio.get_running_loop()
        waiting = Waiting(events, dead, loop.create_future())
        if self._rows and self._rows + waiting.size > self._limit:
            raise Overloaded(f"{self._rows} events wait to be written")
        self._queue.append(waiting)
        self._rows += waiting.size
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._write())
        try:
            async with asyncio.timeout(self._patience):
                # A caller that goes away takes nothing out of the transaction.
                return await asyncio.shield(waiting.answer)
        except TimeoutError:
            raise StoreUnavailable("the store does not answer; send it again") from None

    async def stop(self) -> None:
        """Write what waits, then refuse more."""
        self._stopped = True
        if self._task is not None:
            # Who still waits is told so by its own patience.
            await asyncio.wait([self._task], timeout=self._patience)
        self._thread.shutdown(wait=False)

    async def _write(self) -> None:
        while self._queue:
            group = self._next_group()
            try:
                await self._commit(group)
            except EndcapError as error:
                _fail(group, error)
            except Exception:
                # Something in the group cannot be stored at all: the others must not suffer.
                for one in group:
                    await self._commit_alone(one)

    async def _commit(self, group: list[Waiting]) -> None:
        events = [event for one in group for event in one.events]
        dead = [letter for one in group for letter in one.dead]
        loop = asyncio.get_running_loop()
        fresh = await loop.run_in_executor(self._thread, self._log.append, events, dead)
        start = 0
        for one in group:
            end = start + len(one.events)
            if not one.answer.done():
                one.answer.set_result(fresh[start:end])
            start = end

    async def _commit_alone(self, one: Waiting) -> None:
        try:
            await self._commit([one])
        except EndcapError as error:
            _fail([one], error)
        except Exception as error:
            _fail([one], StoreUnavailable(f"an event cannot be stored: {kind_of(error)}"))

    def _next_group(self) -> list[Waiting]:
        group: list[Waiting] = []
        size = 0
        while self._queue and (not group or size + self._queue[0].size <= self._per_commit):
            one = self._queue.popleft()
            size += one.size
            group.append(one)
        self._rows -= size
        return group


def _fail(group: list[Waiting], error: EndcapError) -> None:
    for one in group:
        if not one.answer.done():
            one.answer.set_exception(error)
            # Mark it as seen: a caller that went away must not leave a warning behind.
            one.answer.exception()
