"""`./run bench path`: where the time of a recommend request goes, as rows that add up.

The application is called in this process without a socket; a step's time is its own, without the
steps inside it. Times are processor time of this thread, so that other work on the machine does
not count. Timing costs itself: the last row says how much.
"""

import argparse
import asyncio
import importlib
import time
from pathlib import Path
from typing import Any

from endcap.serving import app_services
from endcap.settings import read_settings
from endcap.web.app import create_app
from endcap.wiring import open_installation
from measure.inside import call, watching
from measure.report import report
from measure.requests import mixed
from ready import ready_shop
from synthetic.shop import SECRET

# Module, what in it, and the step it is part of; a name that starts with `async ` is a coroutine.
STEPS = (
    ("endcap.web.api.recommendations", "async get_recommendations", "decode the request"),
    ("endcap.services.recommend", "RecommendService.async _recommend", "put together"),
    ("endcap.services.recommend", "RecommendService.async _asked", "check, time, consent"),
    ("endcap.storage.visitors", "MemoryVisitors.async recent", "read the visitor"),
    ("endcap.services.resolve", "read_history", "read the visitor"),
    ("endcap.services.recommend", "resolved", "ids to rows, traits"),
    ("endcap.recommend.pipeline", "Pipeline.run", "blend, order, arrange"),
    ("endcap.recommend.pipeline", "retrieved", "retrieve candidates"),
    ("endcap.recommend.eligibility", "Eligibility.__call__", "filters"),
    ("endcap.services.recommend", "make_items", "reasons and product fields"),
    ("endcap.recommend.slate", "product_badges", "badges"),
    ("endcap.services.recommend", "inputs_of", "note what was served"),
    ("endcap.services.recommend", "served_detail", "note what was served"),
    ("endcap.services.recommend", "RecommendService._log", "note what was served"),
)


def main() -> None:
    options = _options()
    folder = options.folder or ready_shop(options.products, options.events)
    plain, timed, own, length = asyncio.run(_measured(folder, options))
    inside = sum(own.values())
    rows = [(step, 1e6 * took, 100 * took / timed) for step, took in own.items()]
    rows.sort(key=lambda row: -row[1])
    rows.append(
        ("routing, encoding, sending", 1e6 * (timed - inside), 100 * (timed - inside) / timed)
    )
    rows.append(("all of the above", 1e6 * timed, 100.0))
    rows.append(("the same without timing", 1e6 * plain, 100 * plain / timed))
    report(
        f"path-{options.products}-{options.events}",
        f"A recommend request inside the application, {options.products:,} products, mixed "
        f"placements, {length:,.0f} bytes a body",
        ("step", "µs", "%"),
        rows,
    )


async def _measured(folder, options) -> tuple[float, float, dict[str, float], float]:
    settings = read_settings(
        None, {}, {"data": str(folder), "secret": SECRET, "build_every": 0, "port": 0}
    )
    asks = mixed(folder, options.requests)
    async with open_installation(settings) as installation:
        app = create_app(app_services(installation))
        length = sum([await call(app, ask) for ask in asks]) / len(asks)
        plain = [await _once(app, asks) for _ in range(options.rounds)]
        await installation.served.flush()
        with watching([_found(*step) for step in STEPS]) as steps:
            # The routes hold the handlers: an application made now has the timed ones.
            app = create_app(app_services(installation), _timed_operations())
            rounds = [await _once(app, asks) for _ in range(options.rounds)]
        calls = options.rounds * len(asks)
        own = {step: took / calls for step, took in steps.own.items()}
    return min(plain), sum(rounds) / len(rounds), own, length


async def _once(app: Any, asks: list[Any]) -> float:
    began = time.thread_time()
    for ask in asks:
        await call(app, ask)
    return (time.thread_time() - began) / len(asks)


def _timed_operations() -> list[Any]:
    import msgspec

    from endcap.web.api import recommendations
    from endcap.web.app import all_operations

    return [
        msgspec.structs.replace(operation, handler=recommendations.get_recommendations)
        if operation.id == "get_recommendations"
        else operation
        for operation in all_operations()
    ]


def _found(module: str, name: str, step: str) -> tuple[Any, str, str, bool]:
    holder: Any = importlib.import_module(module)
    waits = "async " in name
    *outer, last = name.replace("async ", "").split(".")
    for part in outer:
        holder = getattr(holder, part)
    return holder, last, step, waits


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench path", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a shop made before, taken as it is")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
