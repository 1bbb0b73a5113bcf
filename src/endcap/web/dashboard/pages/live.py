"""Live events: is tracking right?"""

import msgspec

from endcap.core.event import DeadLetter
from endcap.services.inspect import LiveEvent, Matching
from endcap.web.dashboard.page import Page, PageCall


class Live(msgspec.Struct, frozen=True):
    """The end of the log."""

    events: list[LiveEvent]
    matching: Matching
    share: float | None
    refused: list[DeadLetter]
    now: int


async def live(call: PageCall) -> Live:
    """The newest events, what was refused, and the match rate."""
    inspector = call.services.inspector
    matching = await inspector.matching(call.shop)
    return Live(
        events=await inspector.events(call.shop, 60),
        matching=matching,
        share=matching.share,
        refused=await inspector.refused(call.shop, 50),
        now=call.services.clock(),
    )


PAGES = (
    Page(
        id="live",
        path="/live",
        title="Live events",
        template="live.html",
        data=live,
        group="Understand",
        place=30,
        refresh=2,
    ),
)
