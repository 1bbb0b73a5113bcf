"""`./run bench export`: memory of a server while it exports a visitor with a million events."""

import argparse
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from endcap.core.event import Event, Line
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.secret import read_secret
from endcap.settings import read_settings
from endcap.storage.stores import open_store
from measure.processes import endcap, processor_time, server
from measure.report import report
from synthetic.shop import environment

BATCH = 5_000
COLUMNS = ("", "MB sent", "RSS before, MB", "RSS more, MB", "processor s", "s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder), options.events)
        with server(endcap(Path(folder)), environment()) as target:
            rows = [_exported(target.url, target.pid, form) for form in ("json", "csv")]
    report("export", f"Export of a visitor with {options.events:,} events", COLUMNS, rows)


def _exported(url: str, pid: int, form: str) -> tuple[str, float, float, float, float, float]:
    before, busy, begun = _peak(pid, reset=True), processor_time(pid), time.monotonic()
    size = 0
    with urlopen(f"{url}/v1/visitors/heavy/export?format={form}", timeout=600) as answer:
        while part := answer.read(1 << 16):
            size += len(part)
    took = time.monotonic() - begun
    return form, size / 2**20, before, _peak(pid) - before, processor_time(pid) - busy, took


def _fill(folder: Path, count: int) -> None:
    settings = read_settings(None, environment(), {"data": str(folder)})
    store = open_store("", folder)
    visitor = Pseudonyms(read_secret(settings)).visitor("default", "heavy")
    begin = time.time_ns() // 1_000_000 - count * 1_000
    for first in range(0, count, BATCH):
        events = [
            Event(
                shop="default",
                source="bench",
                event_id=f"e{n}",
                type="view",
                visitor=visitor,
                session=f"{n // 20:032x}",
                occurred_at=begin + n * 1_000,
                received_at=begin + n * 1_000,
                lines=(Line(f"p{n % 10_000}"),),
            )
            for n in range(first, min(first + BATCH, count))
        ]
        store.events.append(events, [])
    store.close()


def _peak(pid: int, reset: bool = False) -> float:
    """MB: the most the process has held since the last reset."""
    if reset:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the kernel does not say VmHWM")


if __name__ == "__main__":
    main()
