"""Trying drafts on recent requests: what each slate would be, before and after."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from endcap.core.errors import EndcapError
from endcap.core.event import Event
from endcap.core.ports import EventLog, VisitorStore
from endcap.core.request import RecommendationRequest
from endcap.core.rule import Rule
from endcap.core.rule_status import CheckReport, Finding
from endcap.core.times import Clock
from endcap.recommend.rule_compiler import compile_parts

from .live import LiveState
from .placements import PlacementService
from .previews import Previews
from .resolve import Asked, resolved
from .rule_check import Known, check_rule, matching
from .rules import RuleService, RuleSet
from .segments import SegmentService

RECENT = 200
LOOK_BACK = 5_000
EXAMPLES = 5
_REQUEST = msgspec.msgpack.Decoder(RecommendationRequest)


class Tried(NamedTuple):
    """One recent request and its slates under the rules as they are and as they would be."""

    event: Event
    slots: int
    before: list[str]
    after: list[str]


class RuleTrials:
    """Checks drafts. The slates are made from the catalogue and the visitors as they are now."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, given once
        self,
        previews: Previews,
        rules: RuleService,
        segments: SegmentService,
        placements: PlacementService,
        live: LiveState,
        visitors: VisitorStore,
        log: EventLog,
        clock: Clock,
    ) -> None:
        self._previews = previews
        self._rules = rules
        self._segments = segments
        self._placements = placements
        self._live = live
        self._visitors = visitors
        self._log = log
        self._clock = clock

    async def check(self, shop: str, name: str, rule: Rule) -> CheckReport:
        """What is to be said of a draft. Raises InvalidInput."""
        published = self._rules.published(shop)
        state = self._live.state(shop)
        plans = {view.name for view in await self._placements.list(shop)}
        segments = self._segments.names(shop)
        known = Known(state, self._clock(), frozenset(plans), segments)
        others = {n: r for n, (_, r) in published.rules.items()}
        findings = check_rule(name, rule, others, known)
        tried = await self.recent(shop, published, published.with_rule(name, 0, rule))
        emptied = [t for t in tried if t.before and not t.after]
        shorter = [t for t in tried if len(t.after) < len(t.before)]
        findings += _emptied(name, emptied, tried)
        parts = matching(compile_parts(rule), known)
        return CheckReport(
            publishable=all(finding.level != "error" for finding in findings),
            findings=findings,
            products=None if parts is None else int(parts.sum()),
            requests=len(tried),
            changed=sum(t.before != t.after for t in tried),
            shorter=len(shorter),
            empty=len(emptied),
        )

    async def recent(self, shop: str, before: RuleSet, after: RuleSet) -> list[Tried]:
        """The newest served requests, tried under both rule sets."""
        last = await asyncio.to_thread(self._log.last, shop)
        events = await asyncio.to_thread(self._log.after, shop, max(0, last - LOOK_BACK), LOOK_BACK)
        served = [event for event in events if event.type == "served"][-RECENT:]
        tried: list[Tried] = []
        for event in served:
            one = await self._try(shop, event, (before, after))
            if one is not None:
                tried.append(one)
            await asyncio.sleep(0)
        return tried

    async def _try(self, shop: str, event: Event, sets: tuple[RuleSet, RuleSet]) -> Tried | None:
        found = request_of(event)
        if found is None:
            return None
        try:
            plan = self._placements.plan(shop, event.placement or "")
        except EndcapError:
            return None
        known = None
        if event.visitor and plan.personal:
            known = await self._visitors.recent(shop, event.visitor)
        state, now = self._live.state(shop), self._clock()
        slates = []
        asked = Asked(found, plan, state, now, event.visitor, event.session, known)
        for rules in sets:
            own, query = resolved(asked, self._segments)
            outcome = self._previews.run(own, query, state, rules)
            slates.append([state.columns.ids[pick.row] for pick in outcome.picks])
        return Tried(event, found.count or plan.slots, *slates)


def request_of(event: Event) -> RecommendationRequest | None:
    """The request that a served event answers, if its inputs were kept."""
    inputs = event.served.inputs if event.served else None
    if inputs is None:
        return None
    try:
        return _REQUEST.decode(inputs.request)
    except msgspec.DecodeError:
        return None


def _emptied(name: str, emptied: list[Tried], tried: list[Tried]) -> Iterator[Finding]:
    if not emptied:
        return
    yield Finding(
        level="error",
        code="empty_slates",
        message=f"{len(emptied)} of {len(tried)} recent requests would be answered with nothing",
        rules=[name],
        examples=[t.event.event_id for t in emptied[:EXAMPLES]],
    )
