"""`./run bench ingest`: durable events a second over HTTP, in batches of 20 and one by one.

Every answer `accepted` is on disk (SQLite, synchronous=FULL). At the end the log is counted: it
must hold what was acknowledged, no more and no less.
"""

import argparse
import json
import sqlite3
import tempfile
from pathlib import Path

import msgspec
import numpy as np

from measure.load import Load, closed, http, write_requests
from measure.processes import endcap, server
from measure.report import OUT, median, report
from synthetic.archive import visitor_id
from synthetic.catalogue import product_id
from synthetic.shop import environment

TYPES = ("view",) * 17 + ("cart_add", "cart_add", "click")


def main() -> None:
    options = _options()
    rows = []
    for batch in (20, 1):
        loads = [_measured(batch, options, round_) for round_ in range(options.rounds)]
        rows.append(
            (
                f"batches of {batch}" if batch > 1 else "single events",
                median([load.per_second * batch for load in loads]),
                median([load.per_second for load in loads]),
                median([load.p50 for load in loads]),
                median([load.p99 for load in loads]),
                sum(load.requests * batch for load in loads),
            )
        )
    report(
        "ingest",
        f"Durable ingest over HTTP, SQLite FULL, one process, {options.clients} connections",
        ("", "events/s", "requests/s", "p50 ms", "p99 ms", "events in all"),
        rows,
    )


def _measured(batch: int, options: argparse.Namespace, seed: int) -> Load:
    with tempfile.TemporaryDirectory(dir=_folder()) as name:
        requests = OUT / "ingest.requests"
        # More requests than can be sent, so that no event comes twice.
        count = int(options.seconds * (6_000 if batch == 1 else 4_000))
        write_requests(requests, _bodies(batch, count, seed))
        with server(endcap(Path(name)), environment()) as target:
            load = closed(target.port, requests, options.seconds, options.clients)
        _check(Path(name), load, batch, options.clients)
    return load


def _folder() -> Path:
    # Beside the other output: a temporary folder may be memory, where a sync costs nothing.
    OUT.mkdir(parents=True, exist_ok=True)
    return OUT


def _bodies(batch: int, count: int, seed: int) -> list[bytes]:
    chance = np.random.default_rng(seed)
    visitors = (50_000 * chance.random(count) ** 2).astype(np.int64).tolist()
    products = (10_000 * chance.random((count, batch)) ** 3).astype(np.int64).tolist()
    kinds = chance.integers(0, len(TYPES), (count, batch)).tolist()
    found = []
    for number in range(count):
        visitor = visitor_id(visitors[number])
        events = [
            {
                "event_id": f"{seed}-{number}-{place}",
                "type": TYPES[kinds[number][place]],
                "visitor": visitor,
                "session": f"s-{visitor}",
                "product": product_id(product),
            }
            for place, product in enumerate(products[number])
        ]
        found.append(http("POST", "/v1/events", msgspec.json.encode({"events": events})))
    return found


def _check(folder: Path, load: Load, batch: int, clients: int) -> None:
    """What the log holds is what was acknowledged, but for the answers under way at the end."""
    with sqlite3.connect(f"file:{folder}/endcap.db?mode=ro", uri=True) as store:
        stored = store.execute("SELECT count(*) FROM events WHERE source = 'api'").fetchone()[0]
    acknowledged = load.requests * batch
    if load.failed or not acknowledged <= stored <= acknowledged + clients * batch:
        raise SystemExit(json.dumps({"stored": stored, "load": load._asdict(), "batch": batch}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench ingest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=64)
    return parser.parse_args()


if __name__ == "__main__":
    main()
