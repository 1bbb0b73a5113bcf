"""HTTP load on loopback from another process: closed loop for throughput, open loop for latency.

The generator is this file run as a program, so that it never shares an interpreter with the server.
It speaks just enough HTTP/1.1 over raw sockets to cost less than what it measures.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

CLIENTS = 32


class Load(NamedTuple):
    """What a run saw. Latencies are milliseconds; `failed` are answers that are not 2xx."""

    per_second: float
    p50: float
    p99: float
    requests: int
    failed: int


def closed(port: int, requests: Path, seconds: float, clients: int = CLIENTS) -> Load:
    """As fast as `clients` connections go, each waiting for its answer, for `seconds`."""
    return _run(port, requests, seconds, clients, 0)


def once(port: int, requests: Path, at_most: float = 120, clients: int = CLIENTS) -> Load:
    """Each request one time, so that what is kept in memory is there when it is measured."""
    return _run(port, requests, at_most, clients, -1)


def paced(port: int, requests: Path, seconds: float, rate: int, clients: int = CLIENTS) -> Load:
    """`rate` requests a second, sent on time whether or not answers come back.

    Latency counts from the moment a request was due, so that a stall is not hidden.
    """
    return _run(port, requests, seconds, clients, rate)


def with_wrk(port: int, requests: Path, seconds: int, clients: int = CLIENTS) -> Load | None:
    """The same closed loop by wrk, when it is installed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return None
    command = [wrk, "-t1", f"-c{clients}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(requests.with_suffix(".lua")), f"http://127.0.0.1:{port}/"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", found)
    return Load(
        float(re.search(r"Requests/sec:\s+([\d.]+)", found)[1]),  # type: ignore[index]
        _millis(re.search(r"(?m)^\s+50%\s+(\S+)", found)[1]),  # type: ignore[index]
        _millis(re.search(r"(?m)^\s+99%\s+(\S+)", found)[1]),  # type: ignore[index]
        int(re.search(r"(\d+) requests in", found)[1]),  # type: ignore[index]
        int(bad[1]) if bad else 0,
    )


def write_requests(file: Path, requests: list[bytes]) -> None:
    """Requests as the generator reads them, and beside them a script that wrk reads."""
    texts = [request.decode("ascii") for request in requests]
    file.write_text(json.dumps(texts))
    # The escapes of JSON are those of Lua, as long as the text is ASCII.
    file.with_suffix(".lua").write_text(_LUA.format(made=",\n".join(map(json.dumps, texts))))


def http(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """One raw HTTP/1.1 request."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    if body:
        head += f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _run(port: int, requests: Path, seconds: float, clients: int, rate: int) -> Load:
    command = [sys.executable, __file__, str(port), str(requests), str(seconds), str(clients)]
    found = subprocess.run([*command, str(rate)], capture_output=True, text=True, check=True)
    return Load(**json.loads(found.stdout))


def _millis(text: str) -> float:
    number, unit = re.match(r"([\d.]+)(\D+)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1_000}[unit]


_LUA = """-- each request in turn
local made = {{{made}}}
local at = 0
request = function()
  at = at % #made + 1
  return made[at]
end
"""


class Client(asyncio.Protocol):
    """One connection: sends a request, reads its answer, says how long it took."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._rest = b""
        self._transport: Any = None
        self.due: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Take the connection into use."""
        self._transport = transport
        self._run.idle(self)

    def send(self, due: float) -> None:
        """Send the next request."""
        self.due = due
        self._transport.write(self._run.next_request())

    def data_received(self, data: bytes) -> None:
        """An answer is whole once its body has the length its header says."""
        data = self._rest + data
        end = data.find(b"\r\n\r\n")
        length = 0 if end < 0 else int(re.search(rb"content-length: (\d+)", data[:end])[1])  # type: ignore[index]
        if end < 0 or len(data) < end + 4 + length:
            self._rest = data
            return
        self._rest = b""
        self._run.answered(self, data[9:10] == b"2")

    def connection_lost(self, error: Exception | None) -> None:
        """The server went away."""
        self._run.lost()


class Run:
    """One run of load."""

    def __init__(self, requests: list[bytes], seconds: float, rate: int) -> None:
        self._requests = requests
        self._at = self.failed = 0
        self._seconds = seconds
        self.took: list[float] = []
        self._free: list[Client] = []
        self._due: list[float] = []
        self._end = float("inf")
        # A rate below zero means: each request once.
        self._left = len(requests) if rate < 0 else -1
        self._rate = max(0, rate)
        self.over = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes:
        """The requests in turn."""
        self._at = (self._at + 1) % len(self._requests)
        return self._requests[self._at]

    def idle(self, client: Client) -> None:
        """A client that can send: at once, or when the next request is due."""
        now = time.perf_counter()
        if now >= self._end:
            return
        if not self._rate:
            client.send(now)
        elif self._due:
            client.send(self._due.pop(0))
        else:
            self._free.append(client)

    def answered(self, client: Client, good: bool) -> None:
        """Note an answer."""
        assert client.due is not None
        if time.perf_counter() < self._end:
            self.took.append(time.perf_counter() - client.due)
            self.failed += not good
            self._left -= 1
        if self._left == 0:
            self._end = 0.0
        self.idle(client)

    def lost(self) -> None:
        """A connection was closed before the end."""
        if time.perf_counter() < self._end and not self.over.done():
            self.over.set_exception(ConnectionError("the server closed a connection"))

    async def go(self) -> None:
        """Run until the time is up; paced, hand out what is due every millisecond."""
        begin = time.perf_counter()
        self._end = begin + self._seconds
        sent = 0
        while (now := time.perf_counter()) < self._end and not self.over.done():
            if self._rate:
                while sent < (now - begin) * self._rate:
                    due = begin + sent / self._rate
                    sent += 1
                    if self._free:
                        self._free.pop().send(due)
                    else:
                        self._due.append(due)
            await asyncio.sleep(0.0005 if self._rate else 0.05)
        if self.over.done():
            self.over.result()


async def _main(port: int, requests: list[bytes], seconds: float, clients: int, rate: int) -> None:
    run = Run(requests, seconds, rate)
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        await loop.create_connection(lambda: Client(run), "127.0.0.1", port)
    await run.go()
    took = sorted(run.took) or [0.0]
    result = Load(
        len(took) / seconds,
        1_000 * took[len(took) // 2],
        1_000 * took[int(len(took) * 0.99)],
        len(took),
        run.failed,
    )
    print(json.dumps(result._asdict()))


if __name__ == "__main__":
    import uvloop

    port, file, seconds, clients, rate = sys.argv[1:]
    texts = json.loads(Path(file).read_text())
    asked = [text.encode("ascii") for text in texts]
    uvloop.run(_main(int(port), asked, float(seconds), int(clients), int(rate)))
