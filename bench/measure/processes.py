"""Server processes on loopback, started and stopped by the benchmark itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
STARTED_IN = 300.0


class Memory(NamedTuple):
    """Of one process, in MB: resident, its share when shared pages are split, shared pages."""

    rss: float
    pss: float
    shared: float
    private: float


class Server(NamedTuple):
    """A server that answers."""

    url: str
    pid: int
    ready_after: float

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def server(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Server]:
    """Run a command that prints `{"url": …}` once it answers; stop it at the end."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}/bench"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(command)} did not start (exit {process.wait()})")
        yield Server(json.loads(line)["url"], process.pid, time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def endcap(data: Path) -> list[str]:
    """The command that serves a shop on a free port."""
    start = "from endcap.cli import main; main()"
    return ["-c", start, "serve", "--data", str(data), "--port", "0", "--json"]


def memory_of(pid: int) -> Memory:
    """Memory of a process, from the kernel."""
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0])
    shared = fields["Shared_Clean"] + fields["Shared_Dirty"]
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    return Memory(fields["Rss"] / 1024, fields["Pss"] / 1024, shared / 1024, private / 1024)


def anonymous_of(pid: int) -> float:
    """MB of a process that no file holds: what it costs even when every page could be evicted."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    line = next(line for line in text.splitlines() if line.startswith("Anonymous:"))
    return int(line.split()[1]) / 1024


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has had, all threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Children started inside keep to one core, where the system allows it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
