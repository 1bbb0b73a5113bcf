"""Servers under pressure: far more requests than they can answer, clients that dawdle, events sent
three times over. Each gives counts; the tests run them small and `bench/faults.py` in full.
"""

import asyncio
import contextlib
import http.client
import json
import random
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from replica_group import Client, Replicas, eventually
from server import serving


@dataclass
class Pressed:
    """What an overload did. `odd` are answers that are neither taken nor refused as promised."""

    peak: float = 0.0
    taken: int = 0
    refused: int = 0
    counted: int = 0
    odd: list = field(default_factory=list)
    acked: int = 0
    lost: int = 0
    health: int = 0
    unhealthy: int = 0
    seconds: float = 0.0
    unloaded_ms: float = 0.0
    taken_p99_ms: float = 0.0
    refused_p99_ms: float = 0.0
    health_p99_ms: float = 0.0
    grown: float = 0.0
    after: int = 0
    refused_after: int = 0


class Asker:
    """One connection that asks again as soon as it is answered, whatever the answer."""

    def __init__(self, port, number, end):
        self.port, self.number, self.end = port, number, end
        self.taken, self.refused, self.odd, self.acked = [], [], [], []

    async def run(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        loop, n = asyncio.get_running_loop(), 0
        while loop.time() < self.end:
            n += 1
            name = f"{self.number}-{n}" if n % 4 == 0 else None
            writer.write(request_for(name, f"v{self.number}"))
            begun = loop.time()
            status, headers = await answer(reader)
            took = loop.time() - begun
            if status in (200, 202):
                self.taken.append(took)
                if name and status == 202:
                    self.acked.append(name)
            elif status == 503 and REFUSED.search(headers):
                self.refused.append(took)
            else:
                self.odd.append((status, headers))
        writer.close()


def request_for(name, visitor):
    """An event of this name, or a question."""
    if name is None:
        head = f"GET /v1/recommendations/home?visitor={visitor} HTTP/1.1\r\nhost: x\r\n\r\n"
        return head.encode()
    event = {"event_id": name, "type": "view", "visitor": visitor, "product": "p1"}
    body = json.dumps({"events": [event]}).encode()
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
    return int(head[9:12]), head


async def press(port, clients, seconds):
    """So many askers at once; what each of them saw."""
    end = asyncio.get_running_loop().time() + seconds
    askers = [Asker(port, number, end) for number in range(clients)]
    await asyncio.gather(*(asker.run() for asker in askers))
    return askers


def watch_health(port, stop, took, bad):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.wait(0.05):
        for path in ("/livez", "/readyz"):
            begun = time.monotonic()
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            took.append(time.monotonic() - begun)
            if response.status != 200:
                bad.append(response.status)
    connection.close()


def overload(folder, seconds, clients, most):
    """Find out what one server can do, then ask more of it than it takes on."""
    limits = {"ENDCAP_LIMIT_BUSY": str(most), "ENDCAP_BUILD_EVERY": "0"}
    result = Pressed()
    with serving(folder, env=limits) as (server, url):
        client = Client(url)
        for n in range(30):
            client.put(f"p{n}", price="1.00", stock=9)
        alone = asyncio.run(press(client.port, most // 4, max(1.0, seconds / 6)))
        result.peak = sum(len(one.taken) for one in alone) / max(1.0, seconds / 6)
        result.unloaded_ms = 1_000 * quantile([t for one in alone for t in one.taken], 0.99)
        before = server.memory()
        stop, took, bad = threading.Event(), [], []
        health = threading.Thread(target=watch_health, args=(client.port, stop, took, bad))
        health.start()
        begun = time.monotonic()
        askers = asyncio.run(press(client.port, clients, seconds))
        result.seconds = time.monotonic() - begun
        stop.set()
        health.join()
        result.grown = server.memory() / before - 1
        after = asyncio.run(press(client.port, 2, 0.5))
        client.connection.request("GET", "/metrics")
        text = client.connection.getresponse().read().decode()
        result.counted = int(float(re.search(r"\nendcap_http_refused_total (\S+)", text)[1]))
        client.connection.close()
    result.taken = sum(len(one.taken) for one in askers)
    result.refused = sum(len(one.refused) for one in askers)
    result.odd = [odd for one in [*alone, *askers, *after] for odd in one.odd]
    result.taken_p99_ms = 1_000 * quantile([t for one in askers for t in one.taken], 0.99)
    result.refused_p99_ms = 1_000 * quantile([t for one in askers for t in one.refused], 0.99)
    result.health, result.unhealthy = len(took), len(bad)
    result.health_p99_ms = 1_000 * quantile(took, 0.99)
    result.after = sum(len(one.taken) for one in after)
    result.refused_after = sum(len(one.refused) for one in after)
    acked = [name for one in askers for name in one.acked]
    result.acked, result.lost = len(acked), len(set(acked) - set(kept_in("", folder)))
    return result


def quantile(values, share):
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def kept_in(url, folder):
    """The event ids of a store."""
    from endcap.storage.stores import open_store

    store, place, kept = open_store(url, Path(folder)), 0, []
    while page := store.events.after("default", place, 10_000):
        place = page[-1].seq
        kept += [event.event_id for event in page if event.type == "view"]
    store.close()
    return kept


@dataclass
class Dawdled:
    """What slow clients did. `freed` were cut off by the server."""

    slow: int = 0
    freed: int = 0
    said: int = 0
    asked: int = 0
    answered: int = 0
    files_before: int = 0
    files_after: int = 0
    alone_p99_ms: float = 0.0
    beside_p99_ms: float = 0.0


# Files that a server may open for itself meanwhile.
SPARE = 2
REFUSED = re.compile(rb"problem\+json.*retry-after: [1-3]\r\nx-request-id: \w+\r\n", re.DOTALL)
KINDS = ("silent", "head", "body", "reading")


def dawdle(folder, each, patience):
    """Clients that send nothing, trickle a head or a body, or do not read; one that is quick."""
    result = Dawdled()
    env = {"ENDCAP_CLIENT_PATIENCE": str(patience), "ENDCAP_BUILD_EVERY": "0"}
    with serving(folder, env=env) as (server, url):
        client = Client(url)
        alone = [ask(client) for _ in range(100)]
        result.files_before = open_files(server.pid)
        slow = [slow_client(client.port, kind) for kind in KINDS for _ in range(each)]
        result.slow = len(slow)
        begun, beside, open_still = time.monotonic(), [], dict(enumerate(slow))
        while open_still and time.monotonic() < begun + 10 * patience + 20:
            beside += [ask(client) for _ in range(5)]
            held = open_files(server.pid) - result.files_before
            for number, (kind, connection) in list(open_still.items()):
                ended, said = has_ended(kind, connection)
                # Reading would set it free; that it was given up shows at the server only.
                readers = sum(kind == "reading" for kind, _ in open_still.values())
                ended = ended or (kind == "reading" and held <= len(open_still) - readers + SPARE)
                if ended:
                    result.freed += 1
                    result.said += said
                    connection.close()
                    del open_still[number]
            time.sleep(patience / 10)
        for _, connection in open_still.values():
            connection.close()
        with contextlib.suppress(AssertionError):
            eventually(lambda: open_files(server.pid) <= result.files_before + SPARE, 10)
        result.files_after = open_files(server.pid)
        client.connection.close()
    result.asked = len(alone) + len(beside)
    result.answered = sum(good for good, _ in alone + beside)
    result.alone_p99_ms = 1_000 * quantile([took for _, took in alone], 0.99)
    result.beside_p99_ms = 1_000 * quantile([took for _, took in beside], 0.99)
    return result


def ask(client):
    begun = time.monotonic()
    status, _ = client.call("GET", "/v1/recommendations/home?visitor=v")
    return status == 200, time.monotonic() - begun


def slow_client(port, kind):
    connection = socket.socket()
    if kind == "reading":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", port))
    if kind == "head":
        connection.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ")
    elif kind == "body":
        connection.sendall(b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n{")
    elif kind == "reading":
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 400)
    connection.settimeout(0)
    return kind, connection


def has_ended(kind, connection):
    """Send a byte more where that is the game; whether the server has ended it, and with a word."""
    try:
        if kind in ("head", "body"):
            connection.send(b"x")
        if kind == "reading":
            return False, False
        data = connection.recv(4_096)
    except BlockingIOError:
        return False, False
    except OSError:
        return True, False
    return True, data.startswith(b"HTTP/1.1 408")


def open_files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@dataclass
class Tripled:
    """What became of events that were each sent three times."""

    ids: int = 0
    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    stored: int = 0
    doubled: int = 0
    missing: int = 0
    twice: int = 0
    again: int = 0
    kills: int = 0
    seconds: float = 0.0


def send_thrice(url, folder, ids, kills=0, replicas=3, clients=8):
    """Each id three times, in any order, over all replicas, some of which are killed meanwhile."""
    chance, result = random.Random(7), Tripled(ids=ids)
    names = [f"e{n}" for n in range(ids)] * 3
    chance.shuffle(names)
    batches = [names[at : at + 100] for at in range(0, len(names), 100)]
    group = Replicas(url, folder) if url else Replicas("", folder)
    taken, guard = [], threading.Lock()
    try:
        group.start(replicas, ENDCAP_BUILD_EVERY="0", ENDCAP_LIMIT_ADDRESS="0")
        addresses = [client.url for client in group.clients]
        begun = time.monotonic()

        def work(number):
            picks, open_now = random.Random(number), {}
            while True:
                with guard:
                    if not batches:
                        break
                    batch = batches.pop()
                while not send_batch(open_now, picks.choice(addresses), batch, taken, guard):
                    result.again += 1
                    time.sleep(0.02)
            for client in open_now.values():
                client.connection.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        for _ in range(kills):
            left = len(batches)
            eventually(lambda left=left: len(batches) < left * (kills - 1) / kills + 1, 300)
            victim = addresses.index(chance.choice(addresses))
            group.servers[victim].kill()
            result.kills += 1
            (fresh,) = group.start(1, ENDCAP_BUILD_EVERY="0", ENDCAP_LIMIT_ADDRESS="0")
            group.servers[victim] = group.servers.pop()
            addresses[victim] = fresh.url
        for thread in threads:
            thread.join()
        result.seconds = time.monotonic() - begun
    finally:
        group.stop()
    stored = kept_in(url, folder)
    fresh = [name for name, status in taken if status == "accepted"]
    result.sent = len(taken)
    result.accepted, result.twice = len(fresh), len(fresh) - len(set(fresh))
    result.duplicates = len(taken) - len(fresh)
    result.stored = len(set(stored))
    result.doubled = len(stored) - len(set(stored))
    result.missing = len(set(names) - set(stored))
    return result


def send_batch(open_now, address, batch, taken, guard):
    """Whether it was acknowledged; a replica that has gone is tried by another address next."""
    client = open_now.setdefault(address, Client(address))
    events = [{"event_id": n, "type": "view", "visitor": f"v{n}", "product": "p"} for n in batch]
    try:
        status, receipt = client.call("POST", "/v1/events", {"events": events})
    except (OSError, http.client.HTTPException):
        client.connection.close()
        open_now.pop(address)
        return False
    if status != 202:
        assert status == 503, receipt
        return False
    verdicts = [one["status"] for one in receipt["results"]]
    assert set(verdicts) <= {"accepted", "duplicate"}, receipt
    with guard:
        taken += zip(batch, verdicts, strict=True)
    return True
