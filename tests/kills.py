"""`kill -9` of the real server while clients write: what was acknowledged must be there, once.

The clients do what a careful shop does: they send a batch again, with the same event ids, until it
is acknowledged. Used by the tests with few kills and by `bench/kill.py` with many.
"""

import contextlib
import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from endcap.storage.sql.sqlite import SqliteStore
from server import environment

BATCH = 20
WRITERS = 4
# Imports first and then waits for a word, so that the next server is warm when one is killed.
WARM = (
    "import sys, endcap.cli.commands, endcap.web.server, uvloop; from endcap.cli import main; "
    "sys.stdin.readline(); main()"
)


@dataclass
class Result:
    """What the kills did. `twice` are events that two answers called accepted."""

    kills: int = 0
    acked: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    phantom: int = 0
    twice: int = 0
    resent: int = 0
    integrity: str = ""
    seconds: float = 0.0
    problems: list = field(default_factory=list)

    def as_dict(self):
        return asdict(self)


class Writer(threading.Thread):
    """Sends batches to one address until told to stop; keeps what was acknowledged."""

    def __init__(self, number, port, stop):
        super().__init__(daemon=True)
        self.number = number
        self.port = port
        self.stop = stop
        self.sent = set()
        self.acked = set()
        self.accepted = []
        self.resent = 0
        self.problems = []

    def run(self):
        connection = None
        batch = 0
        while not self.stop.is_set():
            ids = [f"w{self.number}-{batch}-{n}" for n in range(BATCH)]
            events = [
                {"event_id": i, "type": "view", "visitor": f"v{self.number}", "product": "p"}
                for i in ids
            ]
            body = json.dumps({"events": events})
            self.sent.update(ids)
            while not self.stop.is_set():
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                try:
                    connection.request("POST", "/v1/events", body)
                    response = connection.getresponse()
                    content = response.read()
                except (OSError, http.client.HTTPException):
                    connection.close()
                    connection = None
                    self.resent += 1
                    time.sleep(0.02)
                    continue
                if response.status == 202:
                    self._take(ids, json.loads(content))
                    break
                self.problems.append((response.status, content[:200]))
                time.sleep(0.05)
            batch += 1
        if connection is not None:
            connection.close()

    def _take(self, ids, receipt):
        if receipt["rejected"] or len(receipt["results"]) != BATCH:
            self.problems.append(receipt)
        self.acked.update(ids)
        verdicts = zip(ids, receipt["results"], strict=True)
        self.accepted += [i for i, verdict in verdicts if verdict["status"] == "accepted"]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Servers:
    """One server at a time; the next is warm and waits."""

    def __init__(self, folder, port):
        self.arguments = ["serve", "--port", str(port), "--json", "--data", str(folder)]
        self.next = self._warm()

    def start(self):
        """Let the warm one run, and warm another."""
        process, self.next = self.next, self._warm()
        process.stdin.write("go\n")
        process.stdin.flush()
        return process

    def close(self):
        self._end(self.next)

    def kill(self, process):
        """SIGKILL, and what it printed on standard error."""
        return self._end(process)

    def _end(self, process):
        process.send_signal(signal.SIGKILL)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
        _, errors = process.communicate()
        return errors

    def _warm(self):
        return subprocess.Popen(
            [sys.executable, "-c", WARM, *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment({}),
        )


def kill_while_writing(folder, kills, chance=1):
    """`kills` times: start the server, let clients write, SIGKILL it at a random moment."""
    begun = time.monotonic()
    moments = random.Random(chance)
    port, stop, result = free_port(), threading.Event(), Result()
    servers = Servers(Path(folder), port)
    writers = [Writer(number, port, stop) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        for number in range(kills):
            process = servers.start()
            if number % 8 != 7:  # every eighth kill may hit the start itself
                _wait_for_an_ack(writers, process, result)
            time.sleep(moments.uniform(0.02, 0.4))
            errors = servers.kill(process)
            if process.returncode == -signal.SIGKILL:
                result.kills += 1
            if "Traceback" in errors:
                result.problems.append(errors[-1_000:])
        stop.set()
        for writer in writers:
            writer.join()
    finally:
        stop.set()
        servers.close()
    _count(Path(folder), writers, result)
    result.seconds = round(time.monotonic() - begun, 1)
    return result


def _wait_for_an_ack(writers, process, result):
    before = sum(len(writer.acked) for writer in writers)
    limit = time.monotonic() + 60
    while sum(len(writer.acked) for writer in writers) == before:
        if process.poll() is not None or time.monotonic() > limit:
            result.problems.append("the server did not come back")
            return
        time.sleep(0.005)


def _count(folder, writers, result):
    store = SqliteStore(folder)
    try:
        kept = [e.event_id for e in store.events.after("default", 0, 10_000_000)]
        with store.read() as connection:
            result.integrity = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    finally:
        store.close()
    sent = set().union(*(writer.sent for writer in writers))
    acked = set().union(*(writer.acked for writer in writers))
    accepted = [one for writer in writers for one in writer.accepted]
    result.acked = len(acked)
    result.stored = len(kept)
    result.lost = len(acked - set(kept))
    result.duplicated = len(kept) - len(set(kept))
    result.phantom = len(set(kept) - sent)
    result.twice = len(accepted) - len(set(accepted))
    result.resent = sum(writer.resent for writer in writers)
    result.problems += [problem for writer in writers for problem in writer.problems]
