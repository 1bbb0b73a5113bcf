"""`./run bench stores`: appends to the log on each database server, and Redis' memory per visitor.

Two writers append batches of 500 new events each to a new shop, whose statistics the server is told
of after the first batch. Processor time is the server's and the writers', from the kernel.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from endcap.core.event import Event, Line
from endcap.storage.log_visitors import LogVisitors
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.redis_link import RedisLink
from endcap.storage.redis_visitors import RedisVisitors
from endcap.storage.stores import open_store
from measure.processes import processor_time
from measure.report import report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

BATCH = 500
SHOP = "default"


def event(n: int, visitor: int) -> Event:
    return Event(
        shop=SHOP,
        source="t",
        event_id=f"{n:032x}",
        type="view",
        visitor=f"{visitor:032x}",
        lines=(Line(f"p{n % 9_999}"),),
        occurred_at=n,
        received_at=n,
    )


def batch(number: int) -> list[Event]:
    return [event(n, n % 5_000) for n in range(number * BATCH, (number + 1) * BATCH)]


def appends(kind: str, batches: int) -> tuple[Any, ...]:
    """Events a second, and processor µs an event of the server and of the writers."""
    from servers import SERVERS

    server = SERVERS[kind]()
    try:
        url = server.create("appended")
        with tempfile.TemporaryDirectory() as folder:
            stores = [open_store(url, Path(folder)) for _ in range(2)]
            stores[0].events.append(batch(10**6), [])
            if kind == "postgresql":
                with stores[0].engine.begin() as connection:  # type: ignore[attr-defined]
                    connection.exec_driver_sql("ANALYZE events")

            def write(writer: int) -> None:
                for number in range(writer * batches, (writer + 1) * batches):
                    stores[writer].events.append(batch(number), [])

            before, mine = family_time(server.process.pid), time.process_time()
            begun = time.monotonic()
            threads = [threading.Thread(target=write, args=(n,)) for n in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds, count = time.monotonic() - begun, 2 * batches * BATCH
            mine, theirs = time.process_time() - mine, family_time(server.process.pid) - before
            for store in stores:
                store.close()
        return kind, count / seconds, 1e6 * theirs / count, 1e6 * mine / count
    finally:
        server.stop()


def family_time(pid: int) -> float:
    """Of a server and of the processes that it has now."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return processor_time(pid) + sum(processor_time(int(child)) for child in children)


async def bytes_per_visitor(visitors: int, events: int) -> float:
    from redis import Redis as Client

    from servers import Redis

    server, chance = Redis(), random.Random(1)
    try:
        client = Client(port=server.port)
        before = client.info("memory")["used_memory"]
        log, link = MemoryEventLog(), RedisLink(f"redis://127.0.0.1:{server.port}/0")
        await link.start()
        kept = RedisVisitors(link, LogVisitors(log))
        for visitor in range(visitors):
            new = [event(chance.randrange(10**9), visitor) for _ in range(events)]
            log.append(new, [])
            await kept.fold(new)
            await kept.recent(SHOP, f"{visitor:032x}")
        used = client.info("memory")["used_memory"] - before
        await link.stop()
        client.close()
        return float(used) / visitors
    finally:
        server.stop()


def main() -> None:
    from servers import SERVERS

    parser = argparse.ArgumentParser(prog="./run bench stores", description=__doc__)
    parser.add_argument("--batches", type=int, default=60, help="of each writer")
    parser.add_argument("--visitors", type=int, default=2_000)
    options = parser.parse_args()
    rows = [appends(kind, options.batches) for kind in SERVERS]
    rows.append(
        (
            "Redis, bytes a visitor of 20 events",
            asyncio.run(bytes_per_visitor(options.visitors, 20)),
            "",
            "",
        )
    )
    columns = ("", "events/s", "server CPU µs", "writers CPU µs")
    report(
        "stores", f"two writers, batches of {BATCH}, load {os.getloadavg()[0]:.0f}", columns, rows
    )


if __name__ == "__main__":
    main()
