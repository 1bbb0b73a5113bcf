"""One span per traced request, joined to the caller's trace by `traceparent` (W3C).

A span holds an operation's id, never an address, a query or a body.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from endcap.core.times import Clock

_PARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
Headers = Iterable[tuple[bytes, bytes]]


class Trace(NamedTuple):
    """What a request belongs to; ids as bytes, `parent` empty at the root."""

    trace: bytes
    span: bytes
    parent: bytes
    began_ms: int


class Span(NamedTuple):
    """A request that has been answered; times in nanoseconds since 1970."""

    trace: Trace
    operation: str
    method: str
    status: int
    request_id: str
    began: int
    ended: int


class Tracer:
    """Decides which requests are traced and hands their spans to `take`, which must not wait.

    `share` of the requests without a parent are traced; those with one when their parent is.
    """

    def __init__(
        self,
        take: Callable[[Span], None],
        share: float,
        clock: Clock,
        make_bytes: Callable[[int], bytes],
    ) -> None:
        self._take = take
        self._bar = int(share * 2**32)
        self._clock = clock
        self._bytes = make_bytes

    def begin(self, headers: Headers) -> Trace | None:
        """The request's trace, or None when it is not traced."""
        for name, value in headers:
            if name == b"traceparent" and (found := _PARENT.fullmatch(value)):
                trace, parent = bytes.fromhex(found[1].decode()), bytes.fromhex(found[2].decode())
                if any(trace) and any(parent):
                    traced = int(found[3], 16) & 1
                    return Trace(trace, self._bytes(8), parent, self._clock()) if traced else None
        if int.from_bytes(self._bytes(4)) >= self._bar:
            return None
        return Trace(self._bytes(16), self._bytes(8), b"", self._clock())

    def end(self, trace: Trace, about: tuple[str, str, int, str], took: int) -> None:
        """The request has been answered: operation, method, status, request id; nanoseconds."""
        began = trace.began_ms * 1_000_000
        self._take(Span(trace, *about, began, began + took))
