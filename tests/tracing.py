"""Power cuts, replayed from the system calls of the real store.

`strace` records what a writing process did to its files and when it acknowledged. At any moment
the platter may hold all that was synced, and any part of what was not, torn at sectors: such images
are made, opened with the store's own code, and searched for what had been acknowledged.
"""

import random
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from endcap.storage.sql.sqlite import SqliteStore
from server import environment
from servers import program

SECTOR = 512
WRITER = """
import pathlib, sys
from endcap.core.event import Event
from endcap.storage.sql import sqlite
if sys.argv[3] != "FULL":
    def careless(connection, _):
        for pragma in ("journal_mode=WAL", "synchronous=" + sys.argv[3], "foreign_keys=ON"):
            connection.execute("PRAGMA " + pragma)
    sqlite._prepare_writer, sqlite._check_durability = careless, lambda _: None
store = sqlite.SqliteStore(pathlib.Path(sys.argv[1]))
sys.stdout.write("start\\n"); sys.stdout.flush()
for batch in range(int(sys.argv[2])):
    events = [Event(shop="default", source="t", event_id=f"{batch}-{n}", type="view", visitor="v",
                    occurred_at=1, received_at=1) for n in range(5)]
    store.events.append(events, [])
    sys.stdout.write(f"ack {batch}\\n"); sys.stdout.flush()
"""
CALL = re.compile(r"^(?:\[pid\s+\d+\] |\d+\s+)?(\w+)\((\d+)<([^>]*)>(?:, (.*))?\)\s+= (-?\d+)")
DATA = re.compile(r'^"((?:\\x[0-9a-f]{2})*)"(?:, (\d+))?(?:, (\d+))?')


@dataclass
class Result:
    """What the cuts found, added up over them.

    After each cut all that was acknowledged by then is looked for; `lost` was not there.
    """

    cuts: int = 0
    acked: int = 0
    looked_for: int = 0
    lost: int = 0
    corrupt: int = 0
    early_acks: int = 0
    problems: list = field(default_factory=list)


def traced_calls(folder, batches, synchronous):
    """The calls of a writing process: (name, file, data or length, offset)."""
    output = folder.with_suffix(".strace")
    calls = "trace=pwrite64,write,ftruncate,fsync,fdatasync,unlink"
    strace = [program("strace"), "-f", "-y", "-xx", "-s", "2000000", "-e", calls, "-o", str(output)]
    command = [sys.executable, "-c", WRITER, str(folder), str(batches), synchronous]
    ran = subprocess.run(
        [*strace, *command], capture_output=True, text=True, env=environment({}), check=False
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    with output.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if found := CALL.match(line):
                name, descriptor, path, rest, answer = found.groups()
                yield name, int(descriptor), _path(path), rest or "", int(answer)
    output.unlink()


def _path(text):
    # With -xx strace writes file names in hexadecimal too.
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


def _bytes(rest):
    text, _, offset = DATA.match(rest).groups()
    return bytes.fromhex(text.replace("\\x", "")), int(offset or 0)


class Disk:
    """What is on the platter, what is on its way there, and when that was made certain."""

    def __init__(self):
        self.durable = {}
        self.pending = []

    def write(self, name, data, offset):
        self.pending.append((name, offset, data))

    def truncate(self, name, length):
        self.pending.append((name, None, length))

    def sync(self, name):
        kept = []
        for one in self.pending:
            if one[0] == name:
                _apply(self.durable, *one)
            else:
                kept.append(one)
        self.pending = kept

    def image(self, chance):
        """The platter after a cut: any part of what was pending is there, some of it torn."""
        image = {name: bytearray(content) for name, content in self.durable.items()}
        for name, offset, data in self.pending:
            if chance.random() < 0.5:
                continue
            torn = offset is not None and chance.random() < 0.3
            kept = data[: chance.randrange(0, len(data) + 1, SECTOR)] if torn else data
            _apply(image, name, offset, kept)
        return image


def _apply(files, name, offset, data):
    content = files.setdefault(name, bytearray())
    if offset is None:
        del content[data:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def cut_power(folder, batches, cuts, synchronous="FULL", seed=7):
    """Let the store write, and cut its power at `cuts` moments of that."""
    folder = Path(folder)
    chance = random.Random(seed)
    calls = list(traced_calls(folder / "written", batches, synchronous))
    starts = [n for n, call in enumerate(calls) if call[1] == 1 and b"start" in _bytes(call[3])[0]]
    moments = sorted(chance.choices(range(starts[0], len(calls)), k=cuts))
    disk, acked, result = Disk(), [], Result()
    unsynced = False
    for number, (name, descriptor, path, rest, answer) in enumerate(calls):
        while moments and moments[0] == number:
            moments.pop(0)
            _check(folder / "cut", disk.image(chance), acked, result)
        if answer < 0:
            continue
        file = Path(path).name
        if name == "write" and descriptor == 1:
            text = _bytes(rest)[0].decode()
            if text.startswith("ack"):
                acked.append(int(text.split()[1]))
                result.early_acks += unsynced
        elif file not in ("endcap.db", "endcap.db-wal"):
            continue
        elif name in ("pwrite64", "write"):
            disk.write(file, *_bytes(rest))
            unsynced = unsynced or file.endswith("-wal")
        elif name == "ftruncate":
            disk.truncate(file, int(rest))
        elif name in ("fsync", "fdatasync"):
            disk.sync(file)
            unsynced = unsynced and not file.endswith("-wal")
    result.acked = len(acked) * 5
    return result


def _check(folder, image, acked, result):
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in image.items():
        (folder / name).write_bytes(content)
    result.cuts += 1
    try:
        store = SqliteStore(folder)
    except Exception as error:
        result.corrupt += 1
        result.problems.append(str(error))
        return
    try:
        with store.read() as connection:
            if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
                result.corrupt += 1
        kept = {e.event_id for e in store.events.after("default", 0, 1_000_000)}
        result.looked_for += 5 * len(acked)
        result.lost += sum(f"{batch}-{n}" not in kept for batch in acked for n in range(5))
    finally:
        store.close()
