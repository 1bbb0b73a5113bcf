"""The part of the composition root that puts rules, segments and previews together."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from endcap.core.ports import VisitorStore
from endcap.core.times import Clock
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.services.live import LiveState
from endcap.services.placements import PlacementService
from endcap.services.previews import Previews
from endcap.services.rule_trials import RuleTrials
from endcap.services.rules import LIVE, RuleService
from endcap.services.segments import KIND as SEGMENT
from endcap.services.segments import TAGS, SegmentService
from endcap.storage.stores import Store


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about rules and segments, built once."""

    rules: RuleService
    segments: SegmentService
    previews: Previews
    trials: RuleTrials

    @property
    def reloads(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        """What to read again when another process changed a kind of control data."""
        return {
            LIVE: self.rules.load,
            SEGMENT: self.segments.load,
            TAGS: self.segments.load,
        }

    async def load(self, shop: str) -> None:
        """Read a shop's rules and segments into memory."""
        await self.segments.load(shop)
        await self.rules.load(shop)


class Read(NamedTuple):
    """What rules and segments are worked out from."""

    live: LiveState
    placements: PlacementService
    visitors: VisitorStore
    pseudonyms: Pseudonyms


def assemble_ruling(store: Store, read: Read, clock: Clock, currency: str) -> Ruling:
    """Build it."""
    rules = RuleService(store.control, clock)
    segments = SegmentService(
        store.control, read.visitors, read.pseudonyms, read.live, clock, currency
    )
    previews = Previews(
        read.live,
        read.placements,
        rules,
        segments,
        read.visitors,
        read.pseudonyms,
        clock,
        currency,
    )
    trials = RuleTrials(
        previews, rules, segments, read.placements, read.live, read.visitors, store.events, clock
    )
    return Ruling(rules=rules, segments=segments, previews=previews, trials=trials)
