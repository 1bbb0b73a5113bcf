"""The HTTP protocol with bounds: on heads, on slow clients, on requests under way."""

import asyncio
import zlib
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from endcap.core.errors import EndcapError, MalformedBody, Overloaded

from .crowd import Crowd
from .gathering import Gathering
from .problems import HeadersTooLarge, RequestTooSlow, content_of
from .request_ids import request_id_of

# Request line and headers; the application refuses less than this with a full answer.
MAX_HEAD = 65_536
# A client that sends or takes less than this in half of its time is slow.
LEAST_BYTES = 1_024
CROWDED = "more requests are under way than this process takes on"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself would wait for any client and keep heads of any length.

    Twice in `patience` seconds each connection is looked at: a head that is not complete after that
    time, a body that trickles, and an answer that is not taken, end it. A connection between two
    requests is left to uvicorn's keep-alive.
    """

    _in_head = False
    _head = 0
    _in_body = False
    _came = 0
    _left = 0
    _slow = 0
    _unwanted = False
    _running: Scope | None = None
    _look: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, crowd: Crowd | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._crowd = crowd or Crowd()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))
        self._in_head = True
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request starts."""
        super().on_message_begin()
        self._in_head, self._head, self._slow = True, 0, 0

    def on_headers_complete(self) -> None:
        """Its body starts."""
        self._in_head, self._in_body, self._slow = False, True, 0
        path = self.url.partition(b"?")[0].decode("latin-1")
        self._unwanted = self._crowd.is_full(path) and self._is_between_requests()
        if not self._unwanted:
            super().on_headers_complete()
        elif self.expect_100_continue:
            self._turn_away(stays=False)

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        if not self._unwanted:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole: from now on it waits for us and no longer for its client."""
        self._in_body = False
        if self._unwanted:
            self._turn_away(self.parser.should_keep_alive())
            return
        if not self.cycle.response_complete:
            self._count(cast("Scope", self.cycle.scope), "whole", "begun")
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes from the connection."""
        self._came += len(data)
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(HeadersTooLarge(f"at most {MAX_HEAD:,} bytes are taken"))

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP at all, or a length that lies."""
        self._refuse(MalformedBody(msg))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        # Of requests that a client has lined up one at a time is under way.
        self._running = cycle.scope
        self._count(cycle.scope, "begun", "whole")
        super()._start_asgi_task(cycle, cast("Any", self._counted(app)))

    def pause_writing(self) -> None:
        """Its answer waits for the client now, and no longer for us."""
        super().pause_writing()
        if self._running is not None:
            self._done(self._running)

    def _count(self, scope: Scope, now: str, before: str) -> None:
        """Count a request under way when it is both whole and begun."""
        state = scope["state"]
        state[now] = True
        if before in state:
            state["counted"] = True
            self._crowd.busy += 1

    def _counted(self, app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self._done(scope)

        return run

    def _done(self, scope: Scope) -> None:
        if scope["state"].pop("counted", False):
            self._crowd.busy -= 1

    def _look_later(self) -> None:
        if self._crowd.patience > 0:
            self._look = self.loop.call_later(self._crowd.patience / 2, self._look_at)

    def _look_at(self) -> None:
        left = self.transport.get_write_buffer_size()
        taken, came = self._left - left, self._came
        self._left, self._came = left, 0
        untaken = left > 0 and taken < LEAST_BYTES
        trickles = self._in_body and came < LEAST_BYTES and not self.flow.read_paused
        self._slow = self._slow + 1 if untaken or trickles or self._in_head else 0
        if self._slow > 2 or (self._slow == 2 and not untaken):
            self._give_up(answer=not untaken)
        self._look_later()

    def _give_up(self, answer: bool) -> None:
        """End the connection: with an answer, unless one is under way or cannot be taken."""
        cycle: Any = self.cycle
        begun = cycle is not None and not self._in_head and cycle.response_started
        if self._in_head and not self._head:
            self.transport.close()  # it has asked for nothing, so there is nothing to say
        elif answer and not begun and not self.transport.is_closing():
            self._refuse(RequestTooSlow())
        else:
            self.transport.abort()

    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle
        return (cycle is None or cycle.response_complete) and not self.pipeline

    def _turn_away(self, stays: bool) -> None:
        """Refuse a request as cheaply as can be: what this costs is taken from those accepted."""
        self._unwanted = False
        self._crowd.refused += 1
        request_id = request_id_of(self.headers)
        # Not all at the same moment again.
        pause = 1 + zlib.crc32(request_id.encode()) % 3
        more = f"retry-after: {pause}\r\nx-request-id: {request_id}\r\n"
        self._answer(Overloaded(CROWDED), request_id, more, stays)
        if stays:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _refuse(self, error: EndcapError) -> None:
        self._in_head = False
        self._answer(error, "", "", stays=False)

    def _answer(self, error: EndcapError, request_id: str, more: str, stays: bool) -> None:
        content, kind = content_of(error, "", request_id)
        head = (
            f"HTTP/1.1 {error.status} {error.title}\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(content)}\r\n{more}"
            f"connection: {'keep-alive' if stays else 'close'}\r\n\r\n"
        )
        body = b"" if self.scope.get("method") == "HEAD" else content
        self.transport.write(head.encode() + body)
        if not stays:
            self.transport.close()
