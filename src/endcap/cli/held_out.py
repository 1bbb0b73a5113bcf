"""What `evaluate log` and `tune` share: a shop's last days held out, and plans run on them."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endcap.core.errors import InvalidInput
from endcap.core.placement import Placement
from endcap.evaluate.holdout import Holdout, hold_out
from endcap.evaluate.measures import Collected
from endcap.evaluate.pairs import Asking, run_orders
from endcap.evaluate.session_data import Examples
from endcap.evaluate.sessions import Protocol, Tick, run_examples
from endcap.keeping import archive_home
from endcap.recommend.plan import Plan
from endcap.settings import Settings
from endcap.wiring import open_installation

from .output import Progress

# Placements that answer a product or a cart are asked about orders, the others about sessions.
ABOUT_ORDERS = frozenset({"also_bought", "cart", "product", "bought_together"})


@contextmanager
def held_out(settings: Settings, days: int, report: Progress) -> Iterator[Holdout]:
    """The shop's last days held out, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="endcap-holdout-") as work:
        yield asyncio.run(_held_out(settings, days, Path(work), report))


async def stored_placement(settings: Settings, name: str) -> tuple[Placement, int]:
    """The live version of a placement. Raises NotFound or UnknownPlacement."""
    async with open_installation(settings) as installation:
        view = await installation.placements.get(settings.shop, name)
        if view.placement is None:
            raise InvalidInput(f"placement `{name}` is deleted")
        return view.placement, view.version


def protocol_of(protocol: str, placement: str, given: Holdout) -> str:
    """`sessions` or `orders`: as asked, or what fits the placement and is there."""
    if protocol not in ("auto", "sessions", "orders"):
        raise InvalidInput("protocol: must be auto, sessions or orders")
    if protocol != "auto":
        return protocol
    wants = "orders" if placement in ABOUT_ORDERS else "sessions"
    if wants == "sessions" and not given.sessions.targets:
        return "orders"
    return wants


def answered(given: Holdout, plan: Plan, protocol: str, k: int, tick: Tick) -> Collected:
    """Run the plan over the held-out sessions or orders."""
    if protocol == "orders":
        return run_orders(given.state, plan, given.orders, Asking(k=k, asked=5, first=0), tick)
    return run_examples(given.state, plan, given.sessions, Protocol(k=k), tick, given.since)


def part(examples: Examples, half: int, limit: int) -> Examples:
    """Every second example from `half` on, at most `limit`."""
    chosen = slice(half, None, 2)
    return Examples(examples.prefixes[chosen][:limit], examples.targets[chosen][:limit])


async def _held_out(settings: Settings, days: int, work: Path, report: Progress) -> Holdout:
    async with open_installation(settings) as installation:
        shop = settings.shop
        archive = installation.measuring.archive
        await asyncio.to_thread(archive, shop, lambda done: report("archiving", 0.05 * done))
        return await asyncio.to_thread(
            hold_out,
            archive_home(settings, shop),
            installation.store.catalogue,
            shop,
            days,
            work,
            lambda stage, done: report(stage, 0.05 + 0.25 * done),
        )
