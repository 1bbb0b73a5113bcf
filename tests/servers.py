"""Real servers for tests: each on a free port of loopback, in a folder of its own, killable."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
MARIADB_FLAGS = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=32M",
    "--skip-name-resolve",
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(*patterns):
    """The first program found; without one the test fails in CI and is skipped elsewhere."""
    for pattern in patterns:
        if pattern.startswith("/"):
            found = max(map(str, Path("/").glob(pattern[1:])), default=None)
        else:
            found = shutil.which(
                pattern, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            )
        if found:
            return found
    message = f"{patterns[0]} is not installed"
    if IN_CI:
        pytest.fail(f"{message}, and CI must not pass without it")
    pytest.skip(message)


def as_user(name):
    """Servers refuse to run as root."""
    return (
        [] if os.geteuid() else ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"]
    )


class Server:
    """A process that can be killed, frozen, and started again on the same data and port."""

    user = None
    scheme = ""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="endcap-test-"))
        if self.user and not os.geteuid():
            shutil.chown(self.folder, self.user, self.user)
        self.port = free_port()
        self.process = None
        self.prepare()
        self.start()

    def prepare(self):
        pass

    def command(self):
        raise NotImplementedError

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True

    def start(self, *extra):
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [*self.command(), *extra], stdout=log, stderr=log, cwd=self.folder
        )
        log.close()
        end = time.monotonic() + 30
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                pytest.fail((self.folder / "log").read_text(errors="replace")[-2_000:])
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    user = "postgres"

    def prepare(self):
        self.bin = Path(program("/usr/lib/postgresql/*/bin/postgres", "postgres")).parent
        made = [*as_user(self.user), str(self.bin / "initdb"), "-D", str(self.folder / "d")]
        flags = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*made, *flags], check=True, capture_output=True)

    def command(self):
        server = [str(self.bin / "postgres"), "-D", str(self.folder / "d"), "-p", str(self.port)]
        return [*as_user(self.user), *server, "-k", str(self.folder), "-h", "127.0.0.1"]

    def answers(self):
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database):
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def children(self):
        """Killing only the parent would leave backends behind for a while."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def kill(self):
        pids = self.children()
        self.process.kill()
        self.process.wait()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        (self.folder / "d" / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self):
        for pid in [self.process.pid, *self.children()]:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in [self.process.pid, *self.children()]:
            os.kill(pid, signal.SIGCONT)


class MariaDb(Server):
    user = "mysql"

    def prepare(self):
        self.binary = program("mariadbd", "/usr/sbin/mariadbd")
        made = [program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder / 'd'}"]
        flags = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        if not os.geteuid():
            flags.append("--user=mysql")
        subprocess.run([*made, *flags, *MARIADB_FLAGS[:2]], check=True, capture_output=True)

    def command(self):
        flags = [
            f"--datadir={self.folder / 'd'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
        ]
        flags += [f"--socket={self.folder / 's'}", f"--pid-file={self.folder / 'pid'}"]
        if not os.geteuid():
            flags.append("--user=mysql")
        return [self.binary, "--no-defaults", *flags, *MARIADB_FLAGS]

    def answers(self):
        import pymysql

        try:
            self.connect().close()
        except pymysql.Error:
            return False
        return True

    def connect(self, **options):
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", connect_timeout=2, **options
        )

    def url(self, database):
        return f"mariadb://root@127.0.0.1:{self.port}/{database}"

    def create(self, database):
        with self.connect() as connection, connection.cursor() as cursor:
            # The collation that confuses ids most: the tables must not depend on it.
            cursor.execute(f"CREATE DATABASE `{database}` COLLATE utf8mb4_general_ci")
        return self.url(database)


class Mongo(Server):
    """A double that speaks MongoDB's protocol; no real mongod can be had here."""

    def command(self):
        binary = program("secantusd-py")
        place = ["--storage-path", str(self.folder / "d"), "--port", str(self.port)]
        return [binary, "--host", "127.0.0.1", *place]

    def url(self, database):
        return f"mongodb://127.0.0.1:{self.port}/{database}"

    def create(self, database):
        return self.url(database)


class Redis(Server):
    def command(self):
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [program("redis-server"), *place, "--save", "", "--appendonly", "no"]

    def url(self, database=0):
        return f"redis://127.0.0.1:{self.port}/{database}"


class Memcached(Server):
    def command(self):
        flags = ["-p", str(self.port), "-U", "0", "-l", "127.0.0.1"]
        return [program("memcached"), *flags, *([] if os.geteuid() else ["-u", "root"])]

    def url(self):
        return f"memcached://127.0.0.1:{self.port}"


SERVERS = {"postgresql": Postgres, "mariadb": MariaDb, "mongodb": Mongo}
CACHES = {"redis": Redis, "memcached": Memcached}
