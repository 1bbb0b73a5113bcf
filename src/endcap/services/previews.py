"""Previews: a placement for a real or made-up visitor at any time, as it is and with drafts."""

from typing import Any

import msgspec
import numpy as np

from endcap.core.answer import Item
from endcap.core.consent import UNKNOWN
from endcap.core.errors import FieldProblem, InvalidInput, NotFound
from endcap.core.event import VisitorState
from endcap.core.money import to_minor
from endcap.core.placement import Placement
from endcap.core.ports import VisitorStore
from endcap.core.preview import MadeUpVisitor, Move, Preview, PreviewItem, PreviewRequest
from endcap.core.request import RecommendationRequest
from endcap.core.times import Clock, format_time, parse_time
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.recommend.pipeline import Outcome, Pipeline
from endcap.recommend.plan import Plan, make_plan
from endcap.recommend.query import Query, State, Traits
from endcap.recommend.registry import Components
from endcap.recommend.rule_compiler import compile_parts
from endcap.recommend.slate import make_items
from endcap.recommend.trace import make_trace

from .choices import check_filter
from .gate import open_gate
from .live import LiveState
from .placements import PlacementService
from .resolve import Asked, check, resolved
from .rules import RuleService, RuleSet
from .segments import SegmentService


class Look(msgspec.Struct, frozen=True):
    """What a placement shows, with the trace behind it."""

    placement: str
    items: list[Item]
    fallback: str | None
    trace: dict[str, Any]


class Previews:
    """Makes slates that nobody is shown; nothing is logged. Calls come from the event loop."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, given once
        self,
        live: LiveState,
        placements: PlacementService,
        rules: RuleService,
        segments: SegmentService,
        visitors: VisitorStore,
        pseudonyms: Pseudonyms,
        clock: Clock,
        currency: str,
    ) -> None:
        self._live = live
        self._placements = placements
        self._rules = rules
        self._segments = segments
        self._visitors = visitors
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._currency = currency
        self._components = Components()
        self._pipeline = Pipeline()
        self.gate = open_gate(clock)

    async def look(self, shop: str, request: RecommendationRequest, at: int | None) -> Look:
        """What a request gets, at a time if one is given. Raises InvalidInput, UnknownPlacement."""
        plan, query, state = await self._looked(shop, request, at)
        rules = self._rules.for_placement(shop, plan.name)
        outcome = self._pipeline.run(plan, query, state, True, rules)
        items = make_items(outcome, query, state, None)
        return Look(plan.name, items, outcome.fallback, make_trace(outcome, plan, query, state))

    async def why_not(
        self, shop: str, request: RecommendationRequest, at: int | None, product: str
    ) -> str | None:
        """What makes a product ineligible for the same request; None when nothing does.

        Raises NotFound for a product that is not in the catalogue.
        """
        plan, query, state = await self._looked(shop, request, at)
        row = state.columns.row(product)
        if row is None:
            raise NotFound(f"no product `{product[:200]}`")
        rules = self._rules.for_placement(shop, plan.name)
        return self._pipeline.why_not(plan, query, state, row, rules)

    async def _looked(
        self, shop: str, request: RecommendationRequest, at: int | None
    ) -> tuple[Plan, Query, State]:
        check(request, "")
        plan, state = self._placements.plan(shop, request.placement), self._live.state(shop)
        check_filter(request, state.columns)
        visitor, known = await self._visitor(shop, request.visitor, plan)
        now = self._clock() if at is None else at
        asked = Asked(request, plan, state, now, visitor, known=known)
        return (*resolved(asked, self._segments), state)

    async def _visitor(
        self, shop: str, visitor: str | None, plan: Plan
    ) -> tuple[str, VisitorState | None]:
        """The pseudonym and what is known; nothing of one who did not agree to that."""
        if not visitor:
            return "", None
        pseudonym = self._pseudonyms.visitor(shop, visitor)
        if not (await self.gate.allowed(shop, pseudonym, UNKNOWN)).personalisation:
            return "", None
        known = await self._visitors.recent(shop, pseudonym) if plan.personal else None
        return pseudonym, known

    async def preview(self, shop: str, asked: PreviewRequest) -> Preview:
        """The slate as it is and as it would be. Raises InvalidInput or UnknownPlacement."""
        request = _request_of(asked)
        check(request, "")
        now = self._moment(asked)
        plan = self._placements.plan(shop, asked.placement)
        after_plan = self.drafted(plan, asked.draft)
        before = self._rules.published(shop)
        after = drafted_rules(before, asked)
        visitor, known = await self._visitor(shop, asked.visitor, plan)
        state = self._live.state(shop)
        check_filter(request, state.columns)
        traits = self._traits(shop, visitor, known, asked, state, now)
        made = []
        for one, rules in ((plan, before), (after_plan, after)):
            whole = Asked(request, one, state, now, visitor, known=known)
            own, query = resolved(whole)
            query.traits = traits
            outcome = self.run(own, query, state, rules)
            made.append((outcome, _items(outcome, state)))
        (old, items_before), (new, items_after) = made
        return Preview(
            placement=asked.placement,
            as_of=format_time(now),
            segments=sorted(traits.segments),
            before=items_before,
            after=items_after,
            moves=moves([i.id for i in items_before], [i.id for i in items_after]),
            fallback_before=old.fallback,
            fallback_after=new.fallback,
            on_before=[rule.label for rule in old.rules.active],
            on_after=[rule.label for rule in new.rules.active],
        )

    def run(self, plan: Plan, query: Query, state: State, rules: RuleSet) -> Outcome:
        """One slate under some rules."""
        return self._pipeline.run(plan, query, state, False, rules.for_placement(plan.name))

    def drafted(self, plan: Plan, draft: Placement | None) -> Plan:
        """The plan of a draft, else the plan as it is. Raises InvalidInput."""
        return plan if draft is None else make_plan(plan.name, 0, draft, self._components)

    def _moment(self, asked: PreviewRequest) -> int:
        if asked.as_of is None:
            return self._clock()
        try:
            return parse_time(asked.as_of)
        except ValueError as error:
            message = "must be ISO 8601, like 2026-01-31T12:00:00Z"
            problem = FieldProblem("/as_of", "invalid", message)
            raise InvalidInput("the preview cannot be made", [problem]) from error

    def _traits(
        self,
        shop: str,
        visitor: str | None,
        known: VisitorState | None,
        asked: PreviewRequest,
        state: State,
        now: int,
    ) -> Traits:
        if asked.made_up is None:
            return self._segments.traits(shop, visitor, known, state, now)
        bare = _made_up(asked.made_up, self._currency)
        found = self._segments.with_segments(shop, bare, state, now)
        both = found.segments | frozenset(asked.made_up.segments)
        return msgspec.structs.replace(found, segments=both)


def drafted_rules(published: RuleSet, asked: PreviewRequest) -> RuleSet:
    """The published rules with the drafts among them. Raises InvalidInput."""
    rules = published
    for name, draft in asked.rules.items():
        compile_parts(draft)
        rules = rules.with_rule(name, 0, draft)
    for name in asked.without:
        rules = rules.with_rule(name, 0, None)
    return rules


def moves(before: list[str], after: list[str]) -> list[Move]:
    """What stands elsewhere, came, or went; in the order of the slate after, then what went."""
    old = {product: place for place, product in enumerate(before, 1)}
    new = {product: place for place, product in enumerate(after, 1)}
    found = [Move(p, old.get(p), place) for p, place in new.items() if old.get(p) != place]
    return found + [Move(p, place, None) for p, place in old.items() if p not in new]


def _items(outcome: Outcome, state: State) -> list[PreviewItem]:
    rows = np.array([pick.row for pick in outcome.picks], np.int32)
    factors = outcome.rules.factors_of(rows)
    found = []
    for pick, applied in zip(outcome.picks, factors, strict=True):
        rules = [rule.label for rule, _ in applied]
        if pick.moved_by is not None:
            rules.insert(0, pick.moved_by.label)
        title = state.cards.title(pick.row)
        found.append(PreviewItem(state.columns.ids[pick.row], title, pick.rung, pick.score, rules))
    return found


def _request_of(asked: PreviewRequest) -> RecommendationRequest:
    return RecommendationRequest(
        placement=asked.placement,
        seed=asked.seed,
        cart=asked.cart,
        exclude=asked.exclude,
        zone=asked.zone,
        device=asked.device,
        category=asked.category,
        search=asked.search,
        filter=asked.filter,
        sort=asked.sort,
        count=asked.count,
    )


def _made_up(visitor: MadeUpVisitor, currency: str) -> Traits:
    try:
        spend = to_minor(visitor.spend, currency)
    except ValueError as error:
        problem = FieldProblem("/made_up/spend", "out_of_range", str(error))
        raise InvalidInput("the preview cannot be made", [problem]) from error
    return Traits(
        orders=visitor.orders,
        spend=spend,
        currency=currency,
        days_since_seen=visitor.days_since_seen,
        days_since_first_seen=visitor.days_since_first_seen,
        days_since_order=visitor.days_since_order,
        favourite_category=visitor.favourite_category,
        tags=frozenset(visitor.tags),
    )
