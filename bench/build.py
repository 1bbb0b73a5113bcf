"""`./run bench build`: time and peak memory of a build, by number of events.

Each build is a process of its own; its peak is what the kernel says of it (maximum resident set).
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from measure.processes import ROOT
from measure.report import report
from ready import made_shop, mark_built
from synthetic.shop import environment

COMMAND = "from endcap.cli import main; main()"


def main() -> None:
    options = _options()
    rows = []
    for products, events in options.sizes:
        folder = made_shop(products, events)
        took, spent, peak, stages = measured(folder)
        mark_built(folder)
        slowest = max(stages.items(), key=lambda stage: stage[1])
        rows.append(
            (f"{products:,} / {events:,}", took, spent, 1e6 * spent / events, peak, *_split(stages))
        )
        print(f"slowest stage: {slowest[0]} {slowest[1]:.1f} s", file=sys.stderr)
    report(
        "build",
        "Build of all relations from archived events and the stored catalogue, 2 threads",
        (
            "products / events",
            "seconds",
            "CPU s",
            "CPU µs/event",
            "peak MB",
            "read s",
            "count s",
            "similar s",
        ),
        rows,
    )


def measured(folder: Path) -> tuple[float, float, float, dict[str, float]]:
    """Seconds, seconds of processor, peak MB, and the seconds of each stage."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "build", "--data", str(folder)],
        env={**environment(), "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    starts: list[tuple[str, float]] = []
    reader = threading.Thread(target=_read, args=(process.stderr, starts))
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    if process.returncode:
        raise SystemExit(f"the build of {folder} failed ({process.returncode})")
    ends = [moment for _, moment in starts[1:]] + [time.monotonic()]
    stages = {name: end - start for (name, start), end in zip(starts, ends, strict=True)}
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, stages


def _read(stream, starts) -> None:
    for line in stream:
        found = re.search(r"Building relations: (.+?) \(", line)
        if found:
            starts.append((found[1], time.monotonic()))


def _split(stages: dict[str, float]) -> tuple[float, float, float]:
    read = sum(took for name, took in stages.items() if name.startswith(("reading", "archiving")))
    similar = stages.get("similar", 0.0)
    return read, sum(stages.values()) - read - similar, similar


def _size(text: str) -> tuple[int, int]:
    products, _, events = text.partition("/")
    return int(products), int(events)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench build", description=__doc__)
    parser.add_argument(
        "sizes",
        nargs="*",
        type=_size,
        default=[(10_000, 1_000_000), (100_000, 1_000_000), (100_000, 10_000_000)],
        help="PRODUCTS/EVENTS",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
