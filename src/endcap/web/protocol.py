"""The HTTP protocol with a bound on what comes before a body, and errors as problems."""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from endcap.core.errors import EndcapError, MalformedBody

from .gathering import Gathering
from .problems import HeadersTooLarge, content_of

# Request line and headers; the application refuses less than this with a full answer.
MAX_HEAD = 65_536


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself would keep headers of any length in memory."""

    _in_head = False
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))

    def on_message_begin(self) -> None:
        """A request starts."""
        super().on_message_begin()
        self._in_head, self._head = True, 0

    def on_headers_complete(self) -> None:
        """Its body starts."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes from the connection."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(HeadersTooLarge(f"at most {MAX_HEAD:,} bytes are taken"))

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP at all, or a length that lies."""
        self._refuse(MalformedBody(msg))

    def _refuse(self, error: EndcapError) -> None:
        self._in_head = False
        content, kind = content_of(error, "", "")
        head = (
            f"HTTP/1.1 {error.status} {error.title}\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()
