"""Strategies: what there is to choose from, in plain words."""

import msgspec

from endcap.core.status import StrategyView
from endcap.web.dashboard.page import Page, PageCall


class Strategies(msgspec.Struct, frozen=True):
    """Every strategy, and the placements that use it."""

    strategies: list[StrategyView]
    used: dict[str, list[str]]


async def strategies(call: PageCall) -> Strategies:
    """All strategies with where they are used."""
    used: dict[str, list[str]] = {}
    for view in await call.services.placements.list(call.shop):
        placement = view.placement
        entries = [*placement.strategies, *placement.fallback] if placement else []
        for name in dict.fromkeys(str(entry.get("retriever")) for entry in entries):
            used.setdefault(name, []).append(view.name)
    return Strategies(list(call.services.placements.strategies()), used)


PAGES = (
    Page(
        id="strategies",
        path="/strategies",
        title="Strategies",
        template="strategies.html",
        data=strategies,
        scope="recommendations:read",
        group="Merchandise",
        place=20,
    ),
)
