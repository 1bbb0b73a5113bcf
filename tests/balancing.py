"""Replicas behind the shipped load balancers, under load, while they are killed, stopped, frozen.

Used by the tests with a few kills and by `bench/faults.py` with many.
"""

import contextlib
import http.client
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from server import environment
from servers import free_port, program

DEPLOY = Path(__file__).parent.parent / "deploy"
WARM = (
    "import sys, endcap.cli.commands, endcap.web.server, endcap.storage.sql.server, psycopg, uvloop"
    "; from endcap.cli import main; sys.stdin.readline(); main()"
)


@dataclass
class Result:
    """What the load saw. `failed` are answers other than 200 and 202, and broken connections."""

    kills: int = 0
    gets: int = 0
    posts: int = 0
    failed: int = 0
    acked: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    slowest: float = 0.0
    problems: list = field(default_factory=list)


class Replica:
    """One process on a fixed port; a warm one stands by, so that a start takes no imports."""

    def __init__(self, port, settings):
        self.port = port
        self.settings = settings | {"ENDCAP_PORT": str(port)}
        self.spare = self._warm()
        self.process = None

    def _warm(self):
        return subprocess.Popen(
            [sys.executable, "-c", WARM, "serve", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.settings),
        )

    def start(self):
        self.process, self.spare = self.spare, self._warm()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGKILL):
        """Signal it and wait; its exit code and what it said on standard error."""
        process, self.process = self.process, None
        process.send_signal(number)
        return finish(process)

    def wait(self, seconds=60):
        end = time.monotonic() + seconds
        while not is_ready(self.port, 1):
            assert self.process.poll() is None, finish(self.process)
            assert time.monotonic() < end, "the replica does not become ready"
            time.sleep(0.05)

    def close(self):
        for process in (self.process, self.spare):
            if process is not None:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
                    process.kill()
                finish(process)


def finish(process):
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdin = None
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def is_ready(port, patience):
    try:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        ) as connection:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            response.read()
            return response.status == 200
    except (OSError, http.client.HTTPException):
        return False


class Balancer:
    """HAProxy or nginx with the shipped file, its names replaced by this test's ports."""

    def __init__(self, kind, ports):
        self.kind = kind
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="endcap-lb-"))
        name = {"haproxy": "haproxy.cfg", "nginx": "nginx.conf"}[kind]
        text = (DEPLOY / name).read_text()
        for host, port in zip(("endcap1", "endcap2", "endcap3"), ports, strict=True):
            assert f"{host}:8400" in text
            text = text.replace(f"{host}:8400", f"127.0.0.1:{port}")
        if kind == "haproxy":
            text = self._replace(text, "bind :8080", f"bind 127.0.0.1:{self.port}")
            text = self._replace(text, "/run/haproxy/endcap.sock", str(self.folder / "sock"))
        else:
            text = self._replace(text, "listen 8080;", f"listen 127.0.0.1:{self.port};")
            text = self._replace(text, "worker_processes auto;", "worker_processes 1;")
        file = self.folder / name
        file.write_text(text)
        if kind == "haproxy":
            command = [program("haproxy", "/usr/sbin/haproxy"), "-db", "-f", str(file)]
        else:
            flags = f"daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;"
            nginx = program("nginx", "/usr/sbin/nginx")
            command = [nginx, "-p", str(self.folder), "-c", str(file), "-g", flags]
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def _replace(self, text, old, new):
        assert text.count(old) == 1, old
        return text.replace(old, new)

    def wait(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            if is_ready(self.port, 2):
                return
            time.sleep(0.05)
        raise AssertionError("the balancer does not answer")

    def is_up(self, server):
        """HAProxy's opinion of a server, from its own socket."""
        with socket.socket(socket.AF_UNIX) as talk:
            talk.connect(str(self.folder / "sock"))
            talk.sendall(b"show stat\n")
            rows = talk.makefile().read().splitlines()
        (row,) = [r.split(",") for r in rows if r.startswith(f"replicas,{server},")]
        return row[17].startswith("UP")

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Caller(threading.Thread):
    """Calls through the balancer until told to stop: even ones GET, odd ones POST.

    It does not try again: what the balancer cannot save is a failure.
    """

    def __init__(self, number, port, stop, pause=0.01):
        super().__init__(daemon=True)
        self.number = number
        self.port = port
        self.stop = stop
        self.pause = pause
        self.result = Result()
        self.acked = []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        turn = 0
        while not self.stop.is_set():
            turn += 1
            begun = time.monotonic()
            try:
                self._call(connection, turn)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.result.failed += 1
                self.result.problems.append(repr(error))
            self.result.slowest = max(self.result.slowest, time.monotonic() - begun)
            time.sleep(self.pause)
        connection.close()

    def _call(self, connection, turn):
        if (turn + self.number) % 2:
            visitor = f"v{self.number}"
            connection.request("GET", f"/v1/recommendations/home?visitor={visitor}")
            wanted = 200
            self.result.gets += 1
        else:
            name = f"c{self.number}-{turn}"
            event = {"event_id": name, "type": "view", "visitor": f"v{self.number}", "product": "p"}
            connection.request("POST", "/v1/events", json.dumps({"events": [event]}))
            wanted = 202
            self.result.posts += 1
        response = connection.getresponse()
        content = response.read()
        if response.status != wanted:
            self.result.failed += 1
            self.result.problems.append((response.status, content[:200]))
        elif wanted == 202:
            self.acked.append(name)


class Behind:
    """Three replicas behind a balancer, and callers."""

    def __init__(self, kind, store_url, folder, drain="2"):
        settings = {
            "ENDCAP_STORE_URL": store_url,
            "ENDCAP_DATA": str(folder),
            "ENDCAP_BUILD_EVERY": "0",
            "ENDCAP_DRAIN_SECONDS": drain,
            "ENDCAP_LIMIT_ADDRESS": "0",
            "ENDCAP_LIMIT_VISITOR": "0",
        }
        self.store_url = store_url
        self.replicas = [Replica(free_port(), settings) for _ in range(3)]
        self.balancer = None
        try:
            # The first makes the store, the others find it.
            self.replicas[0].start()
            self.replicas[0].wait()
            for replica in self.replicas[1:]:
                replica.start()
            for replica in self.replicas[1:]:
                replica.wait()
            self.balancer = Balancer(kind, [replica.port for replica in self.replicas])
            self.balancer.wait()
        except BaseException:
            self.close()
            raise

    def under_load(self, disturb, callers=4):
        """Run `disturb(result)` while callers call; what they saw, and what the store has."""
        for replica in self.replicas:
            replica.wait()
        stop, result = threading.Event(), Result()
        threads = [Caller(n, self.balancer.port, stop) for n in range(callers)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.5)
            disturb(result)
            time.sleep(0.5)
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        for thread in threads:
            for name in ("gets", "posts", "failed"):
                setattr(result, name, getattr(result, name) + getattr(thread.result, name))
            result.slowest = max(result.slowest, thread.result.slowest)
            result.problems += thread.result.problems
        self._count(result, [name for thread in threads for name in thread.acked])
        return result

    def _count(self, result, acked):
        import psycopg

        with psycopg.connect(self.store_url) as connection:
            rows = connection.execute("SELECT event_id FROM events WHERE source <> 'endcap'")
            kept = [row[0] for row in rows]
        result.acked = len(acked)
        result.stored = len(kept)
        result.lost = len(set(acked) - set(kept))
        result.duplicated = len(kept) - len(set(kept))

    def close(self):
        if self.balancer is not None:
            self.balancer.close()
        for replica in self.replicas:
            replica.close()


def kill_every(behind, kills, pause=2.0, chance=1):
    """SIGKILL one replica after the other, and start it again at once."""
    moments = random.Random(chance)

    def disturb(result):
        for _ in range(kills):
            for replica in behind.replicas:
                replica.wait()
            begun = time.monotonic()
            replica = moments.choice(behind.replicas)
            replica.end()
            result.kills += 1
            replica.start()
            time.sleep(max(0.0, pause - (time.monotonic() - begun)))

    return behind.under_load(disturb)


def restart_each(behind, rounds=1):
    """SIGTERM one replica after the other; the next only when the last one is back."""

    def disturb(result):
        for _ in range(rounds):
            for replica in behind.replicas:
                code, errors = replica.end(signal.SIGTERM)
                assert code == 0, errors
                result.kills += 1
                replica.start()
                replica.wait()
                # Until the balancer has noticed.
                time.sleep(1.2)

    return behind.under_load(disturb)


def freeze_one(behind, seconds=4.0):
    """SIGSTOP a replica for a while; how long until HAProxy left it out."""
    ejected = []

    def disturb(result):
        replica = behind.replicas[1]
        replica.send(signal.SIGSTOP)
        begun = time.monotonic()
        result.kills += 1
        try:
            while behind.balancer.kind == "haproxy" and behind.balancer.is_up("two"):
                assert time.monotonic() - begun < 20, "it was never left out"
                time.sleep(0.02)
            ejected.append(time.monotonic() - begun)
            time.sleep(max(0.0, seconds - ejected[0]))
        finally:
            replica.send(signal.SIGCONT)

    return behind.under_load(disturb), ejected[0]
