"""Running the application on uvicorn."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, NamedTuple, cast

import uvicorn
from starlette.types import ASGIApp

from endcap.core.errors import ConfigurationError

from .crowd import Crowd
from .protocol import BoundedProtocol

BACKLOG = 2048
GRACE_SECONDS = 10
# Longer than the load balancer's, so that it is never us who closes a connection it still uses.
KEEP_ALIVE_SECONDS = 75


class Place(NamedTuple):
    """Where to listen, and how much to take on."""

    host: str
    port: int
    crowd: Crowd


class Drain(NamedTuple):
    """What happens at the first signal: `begin` is called, and serving goes on for `seconds`."""

    begin: Callable[[], None] = lambda: None
    seconds: float = 0.0


class DrainingServer(uvicorn.Server):
    """Goes on serving for a while after SIGTERM; a second signal, or SIGINT, stops at once."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain
        self._draining = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal."""
        first, self._draining = not self._draining, True
        if first:
            self._drain.begin()
        if first and sig == signal.SIGTERM and self._drain.seconds > 0:
            timer = threading.Timer(self._drain.seconds, super().handle_exit, (sig, frame))
            timer.daemon = True
            timer.start()
        else:
            super().handle_exit(sig, frame)


async def run(
    app: ASGIApp,
    place: Place,
    listening: Callable[[str], None],
    drain: Drain | None = None,
) -> None:
    """Serve until a signal says stop; `listening` is called with the address once it answers.

    Raises ConfigurationError when the port is taken.
    """
    host, port, crowd = place
    bound = _bound(host, port)
    config = uvicorn.Config(
        app,
        http=cast("Any", partial(BoundedProtocol, crowd=crowd)),
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    server = DrainingServer(config, drain or Drain())
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{bound.getsockname()[1]}"
    teller = asyncio.create_task(_tell(server, lambda: listening(url)))
    try:
        with _signals_end_here():
            await server.serve(sockets=[bound])
    finally:
        teller.cancel()


@contextmanager
def _signals_end_here() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more, which would end the process before
    what waits is written and the store is closed; here that second one does nothing.
    """
    stopping = (signal.SIGTERM, signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(one, lambda *_: None) for one in stopping]
    try:
        yield
    finally:
        for one, handler in zip(stopping, before, strict=True):
            signal.signal(one, handler)


async def _tell(server: uvicorn.Server, listening: Callable[[], None]) -> None:
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # uvicorn offers a flag, no event
    listening()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Else an answer's body waits for the other side to acknowledge its headers, some 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port"
        ) from error
    bound.listen(BACKLOG)
    return bound
