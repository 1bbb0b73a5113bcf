"""One HTTP call to a checked address: no redirects, no proxy of the environment, within limits."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from endcap.core.errors import BodyTooLarge, CallFailed

from .addresses import Lookup, PrivateHosts, Target, addresses_of, target_of

STEP_SECONDS = 5.0
AGENT = "endcap"


class Reply(NamedTuple):
    """What came back; `content` is at most what was asked for."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Limits(NamedTuple):
    """`seconds` for all of it, `size` bytes of answer; `whole`: more than that is refused."""

    seconds: float = 10.0
    size: int = 65_536
    whole: bool = False


def looked_up(host: str, port: int) -> list[str]:
    """The addresses of a host, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Caller:
    """Calls others. `lookup` is asked once per call, and what it said is what is called."""

    def __init__(
        self,
        private: PrivateHosts,
        lookup: Lookup = looked_up,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._private = private
        self._lookup = lookup
        self._tls = tls or ssl.create_default_context()

    def check(self, url: str) -> None:
        """Whether the URL could be called, without looking it up. Raises AddressRefused."""
        target_of(url, self._private)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limits: Limits) -> Reply:
        """POST (blocking). Raises AddressRefused or CallFailed."""
        return self._call("POST", url, body, headers, limits)

    def get(self, url: str, limits: Limits) -> Reply:
        """GET (blocking). Raises AddressRefused, CallFailed or BodyTooLarge."""
        return self._call("GET", url, None, {}, limits)

    def _call(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limits: Limits
    ) -> Reply:
        target = target_of(url, self._private)
        try:
            address = addresses_of(target, self._private, self._lookup)[0]
            connection = _connection(target, address, self._tls)
            with _ends(connection, limits.seconds) as over:
                try:
                    return _exchange(connection, method, target, (body, headers), limits)
                except (OSError, ValueError, http.client.HTTPException) as error:
                    late = f"not done within {limits.seconds:g} s"
                    raise CallFailed(late if over.is_set() else _words(error)) from error
        except OSError as error:
            raise CallFailed(_words(error)) from error


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: Target,
    sent: tuple[bytes | None, Mapping[str, str]],
    limits: Limits,
) -> Reply:
    body, headers = sent
    given = {"host": target.authority, "user-agent": AGENT, "accept-encoding": "identity"}
    connection.request(method, target.path, body, {**given, **headers})
    with connection.getresponse() as answer:
        content = answer.read(limits.size + 1)
        found = {name.lower(): value for name, value in answer.getheaders()}
    if limits.whole and len(content) > limits.size:
        raise BodyTooLarge(f"the answer has more than {limits.size:,} bytes")
    return Reply(answer.status, found, content[: limits.size])


class _Checked(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name would resolve to by now."""

    def __init__(self, target: Target, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(target.host, target.port, timeout=STEP_SECONDS)
        self._address = address
        self._tls = tls
        self._open: socket.socket | None = None

    def connect(self) -> None:
        """Called by the first request."""
        plain = socket.create_connection((self._address, self.port), STEP_SECONDS)
        self.sock = self._open = plain
        if self._tls is not None:
            # The certificate must be of the name, though it was not asked for again.
            self.sock = self._open = self._tls.wrap_socket(plain, server_hostname=self.host)

    def cut(self) -> None:
        """End it, from another thread; `sock` is None by then when the answer says `close`."""
        if self._open is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)


def _connection(target: Target, address: str, tls: ssl.SSLContext) -> _Checked:
    return _Checked(target, address, tls if target.scheme == "https" else None)


@contextmanager
def _ends(connection: _Checked, seconds: float) -> Iterator[threading.Event]:
    """Cuts the connection after `seconds`, however slowly the other side drips; sets the event."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        connection.cut()

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
        connection.close()


def _words(error: Exception) -> str:
    """What happened, without anything that the other side wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or "the connection failed"
    return "the answer is no HTTP"
