"""Slates in Memcached: its text protocol over a few connections, given up on at once in trouble."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from endcap.core.errors import ConfigurationError

PORT = 11_211
PATIENCE = 0.1
REST = 1.0
MOST_IDLE = 8
LARGEST = 2**20
Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class MemcachedSlates:
    """See the port `SharedSlates`. After any trouble it is left alone for `rest` seconds."""

    def __init__(self, url: str, patience: float = PATIENCE, rest: float = REST) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname, parts.port or PORT
        except ValueError as error:
            raise ConfigurationError(f"cache_url: {error}") from error
        if not self._host or parts.scheme != "memcached":
            raise ConfigurationError("cache_url: must be like memcached://host:11211")
        self._patience = patience
        self._rest = rest
        self._idle: list[Link] = []
        self._again_at = 0.0

    async def get(self, key: str) -> bytes | None:
        """See the port."""
        return await self._call(lambda link: _get(link, key.encode()))

    async def put(self, key: str, content: bytes, seconds: float) -> None:
        """See the port. Memcached counts whole seconds, and takes up to 1 MiB."""
        head = f"set {key} 0 {math.ceil(seconds)} {len(content)}\r\n".encode()
        if len(content) < LARGEST:
            await self._call(lambda link: _put(link, head + content + b"\r\n"))

    async def stop(self) -> None:
        """Close every connection."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _call(self, work: Callable[[Link], Awaitable[bytes | None]]) -> bytes | None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._again_at:
            return None
        link: Link | None = None
        try:
            async with asyncio.timeout(self._patience):
                link = self._idle.pop() if self._idle else None
                link = link or await asyncio.open_connection(self._host, self._port)
                found = await work(link)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self._again_at = loop.time() + self._rest
            await self.stop()
            return None
        else:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(link)
                link = None
            return found
        finally:
            # Also after a cancelled call: its reply must not be taken for another's.
            if link is not None:
                with contextlib.suppress(OSError):
                    link[1].close()


async def _get(link: Link, key: bytes) -> bytes | None:
    reader, writer = link
    writer.write(b"get " + key + b"\r\n")
    head = await reader.readuntil(b"\r\n")
    if head == b"END\r\n":
        return None
    word, name, _, size = head.split()
    if word != b"VALUE" or name != key or int(size) > LARGEST:
        raise ValueError("memcached answers something else")
    content = await reader.readexactly(int(size) + 7)
    return content[:-7]


async def _put(link: Link, command: bytes) -> None:
    reader, writer = link
    writer.write(command)
    if await reader.readuntil(b"\r\n") != b"STORED\r\n":
        raise ValueError("memcached does not store")
