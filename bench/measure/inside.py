"""A server's application called in this process, without a socket, its steps timed.

A step's time is its own: what it calls that is a step too is taken off. So the steps and the rest
add up to the whole.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .requests import Ask


class Steps:
    """Times calls by step; a step inside a step is counted for itself."""

    def __init__(self) -> None:
        self.own: dict[str, float] = {}
        self._open: list[float] = []
        self._undo: list[Callable[[], None]] = []

    def watch(self, holder: Any, name: str, step: str) -> None:
        """Time `holder.name`, which may be a function, a method of a class, or a coroutine."""
        plain = getattr(holder, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            self._open.append(0.0)
            began = time.thread_time()
            try:
                return plain(*arguments, **named)
            finally:
                self._close(step, began)

        setattr(holder, name, timed)
        self._undo.append(lambda: setattr(holder, name, plain))

    def watch_waiting(self, holder: Any, name: str, step: str) -> None:
        """The same for a coroutine function."""
        plain = getattr(holder, name)

        async def timed(*arguments: Any, **named: Any) -> Any:
            self._open.append(0.0)
            began = time.thread_time()
            try:
                return await plain(*arguments, **named)
            finally:
                self._close(step, began)

        setattr(holder, name, timed)
        self._undo.append(lambda: setattr(holder, name, plain))

    def _close(self, step: str, began: float) -> None:
        took = time.thread_time() - began
        inside = self._open.pop()
        self.own[step] = self.own.get(step, 0.0) + took - inside
        if self._open:
            self._open[-1] += took

    def stop(self) -> None:
        """Put everything back as it was."""
        while self._undo:
            self._undo.pop()()


@contextmanager
def watching(plan: list[tuple[Any, str, str, bool]]) -> Iterator[Steps]:
    """Time the steps of a plan: holder, name, step, whether it is a coroutine."""
    steps = Steps()
    try:
        for holder, name, step, waits in plan:
            (steps.watch_waiting if waits else steps.watch)(holder, name, step)
        yield steps
    finally:
        steps.stop()


async def call(app: Any, ask: Ask) -> int:
    """One request through the application; the length of the answer's body."""
    path, _, query = ask.raw().split(b" ")[1].partition(b"?")
    length = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal length
        length += len(message.get("body", b""))
        if message.get("status", 200) != 200:
            raise AssertionError(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8400),
        "state": {},
    }
    await app(scope, receive, send)
    return length
