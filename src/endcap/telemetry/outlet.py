"""Sending things elsewhere without ever making a request wait.

Whoever gives something to an outlet pays for one append. A thread of its own sends what waits, in
batches. What does not fit is dropped and counted; a destination that hangs holds up that thread and
nobody else.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from endcap.core.failures import kind_of

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Bounds(msgspec.Struct, frozen=True):
    """How much may wait, goes out at once, how often in seconds, and the longest rest."""

    waiting: int = 5_000
    batch: int = 500
    pause: float = 1.0
    rest: float = 30.0
    goodbye: float = 2.0


class Outlet(Generic[T]):
    """A bounded queue with a thread that calls `send` with what waits.

    `send` raises when the batch did not arrive; it is dropped then, and after a rest that doubles
    each time the next is tried. The destination's state is logged when it changes.
    """

    def __init__(
        self, name: str, send: Callable[[Sequence[T]], None], bounds: Bounds | None = None
    ) -> None:
        self.name = name
        self.sent = 0
        self._bounds = bounds or Bounds()
        self._send = send
        self._waiting: deque[T] = deque()
        self._counting = threading.Lock()
        self._dropped = 0
        self._stopped = threading.Event()
        self._arrives = True
        self._thread = threading.Thread(target=self._run, name=f"to-{name}", daemon=True)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many did not fit or did not arrive."""
        return self._dropped

    def put(self, thing: T) -> None:
        """Queue it, or count it as dropped. Never waits."""
        if len(self._waiting) >= self._bounds.waiting:
            self._drop(1)
        else:
            self._waiting.append(thing)

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def end(self) -> None:
        """Let the thread send what waits and then end; returns at once."""
        self._stopped.set()

    def stop(self) -> None:
        """Send what waits, but not for long: a thread that hangs is left behind."""
        self.end()
        self._thread.join(self._bounds.goodbye)
        self._drop(len(self._waiting))

    def _run(self) -> None:
        rest = 0.0
        while not self._stopped.wait(rest or self._bounds.pause):
            rest = self._next_rest(rest, self._empty())
        if self._arrives:
            self._empty()

    def _next_rest(self, rest: float, arrived: bool) -> float:
        if arrived != self._arrives:
            self._arrives = arrived
            if arrived:
                LOG.info("telemetry arrives again: %s", self.name)
        return 0.0 if arrived else min(self._bounds.rest, max(self._bounds.pause, rest * 2))

    def _empty(self) -> bool:
        """Send batch after batch; whether the destination takes them."""
        while self._waiting:
            size = min(len(self._waiting), self._bounds.batch)
            group = [self._waiting.popleft() for _ in range(size)]
            try:
                self._send(group)
            except Exception as error:
                self._drop(size)
                if self._arrives:
                    LOG.warning("telemetry does not arrive: %s (%s)", self.name, kind_of(error))
                return False
            self.sent += size
        return True

    def _drop(self, count: int) -> None:
        with self._counting:
            self._dropped += count
