"""`./run bench memory`: memory of a serving process and the time from start to ready.

Measured after start, after mixed requests, and beside a second process that has the same snapshot
mapped. `file` pages are the mapped snapshot and libraries, which processes share and the kernel may
evict; `own` pages are not. PSS counts each shared page by its share.
"""

import argparse
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure.load import closed, write_requests
from measure.processes import anonymous_of, endcap, memory_of, processor_time, server
from measure.report import OUT, median, report
from measure.requests import mixed
from ready import ready_shop
from synthetic.shop import environment


def main() -> None:
    options = _options()
    folder = options.folder or ready_shop(options.products, options.events)
    requests = OUT / "memory.requests"
    write_requests(requests, [ask.raw() for ask in mixed(folder, options.requests)])
    starts = [_start(folder) for _ in range(options.rounds)]
    with server(endcap(folder), environment()) as target:
        rows = [("one process, ready", *_pages(target.pid))]
        closed(target.port, requests, options.seconds)
        time.sleep(1)
        rows.append((f"after {options.seconds:.0f} s of requests", *_pages(target.pid)))
        with _twin(folder) as twin, server(endcap(twin), environment()) as second:
            closed(second.port, requests, options.seconds)
            time.sleep(1)
            rows.append(("two processes, each", *_pages(target.pid)))
    rows.append(("start to ready, s (median)", median([s for s, _ in starts]), "", "", ""))
    rows.append(("of which processor, s", median([cpu for _, cpu in starts]), "", "", ""))
    report(
        f"memory-{options.products}-{options.events}",
        f"A serving process, {options.products:,} products, {options.events:,} events, MB",
        ("", "RSS", "PSS", "own", "file"),
        rows,
    )


def _start(folder: Path) -> tuple[float, float]:
    """Seconds until it answers, and the processor time it took for that."""
    with server(endcap(folder), environment()) as target:
        return target.ready_after, processor_time(target.pid)


@contextmanager
def _twin(folder: Path) -> Iterator[Path]:
    """The same shop for a second process: a copy of the store, and the very same snapshot files."""
    twin = folder.with_name(f"{folder.name}-twin")
    shutil.rmtree(twin, ignore_errors=True)
    twin.mkdir()
    try:
        for file in folder.glob("endcap.db*"):
            shutil.copy(file, twin)
        shutil.copytree(folder / "snapshots", twin / "snapshots", copy_function=os.link)
        yield twin
    finally:
        shutil.rmtree(twin)


def _pages(pid: int) -> tuple[float, float, float, float]:
    memory, own = memory_of(pid), anonymous_of(pid)
    return memory.rss, memory.pss, own, memory.rss - own


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench memory", description=__doc__)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="a shop made before, taken as it is")
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3, help="starts")
    parser.add_argument("--seconds", type=float, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    main()
