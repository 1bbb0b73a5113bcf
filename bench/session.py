"""`./run bench session`: what a session costs, against best sellers under the same conditions.

Two placements with one strategy each, `session_neighbours` and `popular`, the same filters, for the
same visitors, who have looked at four products within the last minute; and the placement `home`
with all it has. Processor time of the request's thread, in this process, without a socket.
"""

import argparse
import asyncio
import gc
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from endcap.serving import app_services
from endcap.settings import read_settings
from endcap.web.app import create_app
from endcap.wiring import open_installation
from measure.inside import call
from measure.report import median, report
from measure.requests import Ask
from ready import ready_shop
from recommend import rules
from synthetic.catalogue import product_id
from synthetic.shop import SECRET

FILTERS = [{"filter": "available"}, {"filter": "not_in_cart"}]
CLICKS = 4


def main() -> None:
    """Measure and report."""
    options = _options()
    folder = options.folder or ready_shop(options.products, options.events)
    rounds, length = asyncio.run(_measured(folder, options))
    popular = rounds["popular only"]
    rows = [
        (
            name,
            1e6 * median(took),
            median([a / b for a, b in zip(took, popular, strict=True)]),
            length[name],
        )
        for name, took in rounds.items()
    ]
    shop = options.folder or f"{options.products:,} products, {options.events:,} events"
    report(
        f"session-{options.products}-{options.events}-{options.rules}",
        f"Visitors with a session, {shop}, {options.rules} rules",
        ("", "µs", "times popular only", "bytes"),
        rows,
    )


async def _measured(folder: Path, options: argparse.Namespace) -> tuple[dict[str, Any], Any]:
    given = {"data": str(folder), "secret": SECRET, "build_every": 0, "port": 0}
    settings = read_settings(None, {}, given)
    async with open_installation(settings, serving=True) as installation:
        app = create_app(app_services(installation))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            await _prepare(client, options)
            visitors = await _sessions(client, folder, options.visitors)
        asks = {
            "popular only": [Ask("bench_popular", {"visitor": v}) for v in visitors],
            "session_neighbours only": [Ask("bench_session", {"visitor": v}) for v in visitors],
            "home": [Ask("home", {"visitor": v}) for v in visitors],
        }
        length = {name: await _bytes(app, some) for name, some in asks.items()}
        gc.collect()
        gc.freeze()
        rounds: dict[str, list[float]] = {name: [] for name in asks}
        for _ in range(options.rounds):
            for name, some in asks.items():
                began = time.thread_time()
                for ask in some:
                    await call(app, ask)
                rounds[name].append((time.thread_time() - began) / len(some))
            await installation.served.flush()
    return rounds, length


async def _prepare(client: httpx.AsyncClient, options: argparse.Namespace) -> None:
    for name, retriever in (("popular", "popular"), ("session", "session_neighbours")):
        placement = {"slots": 12, "strategies": [{"retriever": retriever}], "filters": FILTERS}
        (await client.put(f"/v1/placements/bench_{name}", json=placement)).raise_for_status()
    for n, rule in enumerate(rules(options.rules)):
        (await client.put(f"/v1/rules/bench-{n:03}", json=rule)).raise_for_status()
        path = f"/v1/rules/bench-{n:03}/publish?force=true"
        (await client.post(path)).raise_for_status()


async def _sessions(client: httpx.AsyncClient, folder: Path, count: int) -> list[str]:
    """Visitors who just clicked on what visitors of the shop did one after the other."""
    with np.load(folder / "newest.npz") as newest:
        products = newest["product"]
    first = np.random.default_rng(7).integers(0, len(products) - CLICKS, count).tolist()
    now = int(time.time() * 1_000)
    visitors = [f"bench-{n}" for n in range(count)]
    for visitor, at in zip(visitors, first, strict=True):
        events = [
            {
                "event_id": f"{visitor}-{now}-{step}",
                "type": "view",
                "visitor": visitor,
                "occurred_at": now - 1_000 * (CLICKS - step),
                "products": [{"id": product_id(int(products[at + step]))}],
            }
            for step in range(CLICKS)
        ]
        (await client.post("/v1/events", json={"events": events})).raise_for_status()
    return visitors


async def _bytes(app: Any, asks: list[Ask]) -> float:
    """Bytes of the answers, which warms what is kept by visitor, too."""
    return sum([await call(app, ask) for ask in asks]) / len(asks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench session", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a shop made before, taken as it is")
    parser.add_argument("--visitors", type=int, default=300)
    parser.add_argument("--rules", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
