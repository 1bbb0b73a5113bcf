"""Database servers killed, disks filled, clients gone: with counts of what became of events."""

import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from endcap.core.errors import StoreUnavailable
from endcap.core.event import Event
from endcap.storage.stores import open_store
from server import Server, environment
from servers import program


@dataclass
class Result:
    """Counts of one kind of fault."""

    faults: int = 0
    acked: int = 0
    refused: int = 0
    lost: int = 0
    duplicated: int = 0
    phantom: int = 0
    slowest_return: float = 0.0
    problems: list = field(default_factory=list)


def kill_database(server, url, kills, chance=1, writers=3):
    """SIGKILL the database server again and again while writers append, each until it is acked."""
    moments, result, stop = random.Random(chance), Result(), threading.Event()
    stores = [open_store(url, Path()) for _ in range(writers)]
    sent, acked = [set() for _ in stores], [set() for _ in stores]

    def write(number):
        batch = 0
        while not stop.is_set():
            names = [f"{number}-{batch}-{n}" for n in range(20)]
            sent[number].update(names)
            events = [_event(name) for name in names]
            while not stop.is_set():
                try:
                    stores[number].events.append(events, [])
                except StoreUnavailable:
                    result.refused += 1
                    time.sleep(0.05)
                    continue
                except Exception as error:
                    result.problems.append(repr(error))
                    return
                acked[number].update(names)
                break
            batch += 1

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        before = sum(map(len, acked))
        _until(lambda before=before: sum(map(len, acked)) >= before + 200)
        time.sleep(moments.uniform(0, 0.3))
        server.kill()
        result.faults += 1
        begun = time.monotonic()
        server.start()
        before = sum(map(len, acked))
        _until(lambda before=before: sum(map(len, acked)) > before)
        result.slowest_return = max(result.slowest_return, time.monotonic() - begun)
    stop.set()
    for thread in threads:
        thread.join(60)
    # A range of places that a killed append left open is closed after a while.
    kept = _all_events(stores[0], len(set().union(*acked)))
    for store in stores:
        store.close()
    every = set().union(*acked)
    result.acked = len(every)
    result.lost = len(every - set(kept))
    result.duplicated = len(kept) - len(set(kept))
    result.phantom = len(set(kept) - set().union(*sent))
    return result


def _event(name):
    return Event(
        shop="default",
        source="t",
        event_id=name,
        type="view",
        visitor="v",
        occurred_at=1,
        received_at=1,
    )


def _all_events(store, wanted):
    end = time.monotonic() + 30
    while True:
        kept, place = [], 0
        while page := store.events.after("default", place, 5_000):
            place = page[-1].seq
            kept += [event.event_id for event in page]
        if len(kept) >= wanted or time.monotonic() > end:
            return kept
        time.sleep(0.2)


def _until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


class Sender:
    """One client that sends single events and keeps what was acknowledged."""

    def __init__(self, url):
        self.port = int(url.rpartition(":")[2])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.acked = []

    def send(self, name, size=0):
        """The status; what is not 202 must carry Retry-After."""
        event = {"event_id": name, "type": "search", "visitor": "v", "query": "x" * size}
        self.connection.request("POST", "/v1/events", json.dumps({"events": [event]}))
        response = self.connection.getresponse()
        response.read()
        if response.status == 202:
            self.acked.append(name)
        elif response.status not in (503, 507) or not response.headers.get("retry-after"):
            return -response.status
        return response.status

    def get(self, path):
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        response.read()
        return response.status


def fill_disk(folder, episodes):
    """The real server on a disk of 6 MB, which is filled up and freed again and again."""
    result = Result()
    server = Server("serve", "--port", 0, "--json", "--data", folder / "shop")
    sender = Sender(server.url())
    try:
        for episode in range(episodes):
            filler = folder / "filler"
            _fill(filler, slack=40_000 * (episode % 5))
            refused = 0
            for n in range(400):
                status = sender.send(f"{episode}-{n}", 400)
                if status == 202:
                    continue
                if status < 0:
                    result.problems.append(status)
                    break
                refused += 1
                if sender.get("/v1/recommendations/home") != 200:
                    result.problems.append("no recommendations")
                if refused == 3:
                    break
            result.refused += refused
            result.faults += refused > 0
            filler.unlink()
            begun = time.monotonic()
            _until(lambda episode=episode: sender.send(f"{episode}-after") == 202, 30)
            result.slowest_return = max(result.slowest_return, time.monotonic() - begun)
    finally:
        sender.connection.close()
        server.stop()
    store = open_store("", folder / "shop")
    kept = [e.event_id for e in store.events.after("default", 0, 1_000_000)]
    with store.read() as connection:
        if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
            result.problems.append("the store is damaged")
    store.close()
    kept = [name for name in kept if re.fullmatch(r"\d+-(\d+|after)", name)]
    result.acked = len(sender.acked)
    result.lost = len(set(sender.acked) - set(kept))
    result.duplicated = len(kept) - len(set(kept))
    return result


def _fill(filler, slack):
    """Take all the space there is but `slack` bytes."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4_096))
    os.truncate(filler, max(0, filler.stat().st_size - slack))


@contextlib.contextmanager
def small_disk(folder, size="6m"):
    """A file system of its own in memory; needs to be root."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


READ = re.compile(rb"(?:read|recvfrom|recvmsg|recv)\(\d+.*POST /v1/events")
SYNC = re.compile(rb"(?:fsync|fdatasync)\(.*= 0|<\.\.\. (?:fsync|fdatasync) resumed>.*= 0")
ACK = re.compile(rb"(?:write|writev|sendto|sendmsg)\(\d+.*HTTP/1\.1 202")


def synced_before_ack(folder, count):
    """Of `count` events, how many were acknowledged after a sync that followed their reading."""
    output = folder / "trace"
    calls = "trace=read,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync"
    strace = [program("strace"), "-f", "-s", "60", "-e", calls, "-o", str(output)]
    serve = [sys.executable, "-c", "from endcap.cli import main; main()", "serve"]
    process = subprocess.Popen(
        [*strace, *serve, "--port", "0", "--json", "--data", str(folder / "shop")],
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"ENDCAP_BUILD_EVERY": "0"}),
    )
    try:
        sender = Sender(json.loads(process.stdout.readline())["url"])
        for n in range(count):
            assert sender.send(f"e{n}") == 202
        sender.connection.close()
    finally:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        for pid in children.split():
            os.kill(int(pid), signal.SIGTERM)
        process.communicate(timeout=60)
    synced, read, good = False, False, 0
    for line in output.read_bytes().splitlines():
        if READ.search(line):
            read, synced = True, False
        elif SYNC.search(line):
            synced = read
        elif ACK.search(line):
            good += synced
            read = synced = False
    return good


def abandon_requests(url, count):
    """Begin requests and go away: before the body, in the body, and before the answer."""
    port = int(url.rpartition(":")[2])
    body = json.dumps({"events": [{"type": "view", "visitor": "v", "product": "p"}]}).encode()
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    get = b"GET /v1/recommendations/recently_viewed?visitor=v HTTP/1.1\r\nHost: x\r\n\r\n"
    for n in range(count):
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall((head, head + body[:10], head + body, get)[n % 4])
            if n % 8 >= 4:
                # A reset instead of an orderly end.
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
