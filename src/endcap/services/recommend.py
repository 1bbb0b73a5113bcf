"""Making recommendations: read the visitor, run the plan, answer, and log what was served."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.core.answer import Item, Slate
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import Served
from endcap.core.ports import VisitorStore
from endcap.core.request import MAX_PAGE, PageRequest, RecommendationRequest
from endcap.core.times import Clock
from endcap.experiments.assign import Subject
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.recommend.history import SESSION_MINUTES
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.pipeline import Outcome, Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State
from endcap.recommend.slate import make_items
from endcap.recommend.trace import make_trace

from .ahead import read_ahead, willing
from .cases import Case
from .choices import check_filter
from .gate import Gate, open_gate
from .interleaving import Mixed, Team, mixed
from .live import LiveState
from .offering import Offering
from .placements import PlacementService
from .resolve import Asked, asked_time, check, resolved
from .rule_source import NoRules, RuleSource, TraitSource
from .served import ServedLog, served_detail, served_event
from .shadow import Offer, nothing
from .slate_cache import Kept, Lookup, SlateCache, detail_again
from .traces import inputs_of
from .trials import NoTrials, Trial, TrialSource

_ENCODER = msgspec.json.Encoder()


class RecommendService:
    """Answers requests of all shops on one event loop."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators of the request path, given once
        self,
        live: LiveState,
        placements: PlacementService,
        visitors: VisitorStore,
        pseudonyms: Pseudonyms,
        served: ServedLog,
        clock: Clock,
        new_token: Callable[[], str],
        rules: RuleSource | None = None,
        session_minutes: int = SESSION_MINUTES,
        offering: Offering | None = None,
        traits: TraitSource | None = None,
        trials: TrialSource | None = None,
        gate: Gate | None = None,
        stopwatch: Callable[[], int] = lambda: 0,
        slates: SlateCache | None = None,
    ) -> None:
        # `stopwatch` gives nanoseconds since some moment, for how long an answer took.
        self._live = live
        self._placements = placements
        self._visitors = visitors
        self._pseudonyms = pseudonyms
        self._served = served
        self._clock = clock
        self._new_token = new_token
        self._rules = rules or NoRules()
        self._traits = traits
        self._trials = trials or NoTrials()
        self._gate = gate or open_gate(clock)
        self._slates = slates
        self._session_minutes = session_minutes
        self._offering = offering
        self._stopwatch = stopwatch
        self._pipeline = Pipeline()
        self.shadow: Offer = nothing

    async def recommend(self, shop: str, request: RecommendationRequest) -> Slate:
        """One slate. Raises InvalidInput or UnknownPlacement."""
        slate, _ = await self._recommend(shop, request, NO_ITEMS)
        return slate

    async def recommend_json(self, shop: str, request: RecommendationRequest) -> bytes:
        """One slate as JSON."""
        return _ENCODER.encode(await self.recommend(shop, request))

    async def page(self, shop: str, page: PageRequest) -> list[Slate]:
        """Slates in the order asked; with `distinct`, a visitor sees each product once."""
        if not 1 <= len(page.requests) <= MAX_PAGE:
            problem = FieldProblem("/requests", "out_of_range", f"must be 1 to {MAX_PAGE}")
            raise InvalidInput("the page cannot be made", [problem])
        for place, request in enumerate(page.requests):
            check(request, f"/requests/{place}")
            self._placements.plan(shop, request.placement)
        await self.read_ahead(shop, willing(page.requests))
        slates: list[Slate] = []
        shown: dict[str | None, IntArray] = {}
        for request in page.requests:
            taken = shown.get(request.visitor, NO_ITEMS) if page.distinct else NO_ITEMS
            slate, rows = await self._recommend(shop, request, taken)
            shown[request.visitor] = np.concatenate([taken, rows])
            slates.append(slate)
            await asyncio.sleep(0)  # between two slates of a long page others get their turn
        return slates

    async def read_ahead(self, shop: str, visitors: Sequence[str]) -> None:
        """Read together what visitors did, before they are asked about."""
        await read_ahead(self._visitors, self._pseudonyms, self._gate, shop, visitors)

    async def prepare(self, shop: str, rules_of: Callable[[str], PlacementRules]) -> None:
        """Make ready for rules that are about to be live, off the event loop's thread."""
        state = self._live.state(shop)
        for name in self._placements.names(shop):
            await asyncio.to_thread(self._pipeline.prepare, rules_of(name), state)

    async def _asked(
        self, shop: str, request: RecommendationRequest, plan: Plan, taken: IntArray
    ) -> Asked:
        """The request with what is known of its visitor. Raises InvalidInput."""
        check(request, "")
        visitor = self._pseudonyms.visitor(shop, request.visitor) if request.visitor else ""
        allowed = await self._gate.allowed(shop, visitor or None, request.consent)
        personal = allowed.personalisation and request.personalization == "on"
        if not personal:
            visitor = ""  # the answer is that of a visitor never seen
        known = None
        if visitor and plan.personal:
            known = await self._visitors.recent(shop, visitor)
        session = None
        if request.session and personal:
            session = self._pseudonyms.session(shop, request.session)
        if self._offering is not None:
            await self._offering.ready(shop, visitor, self._live.state(shop))
        state = self._live.state(shop)
        check_filter(request, state.columns)
        now = asked_time(request, self._clock())
        return Asked(
            request,
            plan,
            state,
            now,
            visitor,
            session,
            known,
            taken,
            self._session_minutes,
            allowed.analytics,
        )

    async def _recommend(
        self, shop: str, request: RecommendationRequest, taken: IntArray
    ) -> tuple[Slate, IntArray]:
        began = self._stopwatch()
        live = self._placements.plan(shop, request.placement)
        asked = await self._asked(shop, request, live, taken)
        # From here to the slate one state serves the whole request.
        plan, query = resolved(asked, self._traits)
        subject = Subject(
            asked.visitor, request.zone, request.device, frozenset(query.traits.segments)
        )
        trial = self._trials.trial(shop, live, subject, asked.now)
        if trial is not None and trial.plan is not live:
            plan, query = resolved(asked._replace(plan=trial.plan), self._traits)
        published = self._rules.for_placement(shop, plan.name)
        case = Case(shop, asked, plan, query, published, trial, began)
        slates, lookup = self._slates, None
        if slates is not None and trial is None:
            lookup = slates.lookup(asked, plan, published, query)
        if slates is None or lookup is None:
            return self._made(case, query)
        kept = await slates.find(lookup)
        if kept is not None:
            return self._given_again(case, lookup, kept)
        watched = slates.watched(lookup, query)
        return self._made(case, watched, partial(slates.keep, lookup, watched))

    def _made(
        self, case: Case, query: Query, keep: Callable[[Slate, Served], None] | None = None
    ) -> tuple[Slate, IntArray]:
        """A slate made from the query, logged; `keep` takes it for who asks next."""
        shop, asked, plan, _, published, trial, began = case
        request, state = asked.request, asked.state
        rules = published if trial is None else trial.rules(published)
        outcome = self._pipeline.run(plan, query, state, request.explain, rules)
        fields = tuple(request.fields) if request.fields is not None else None
        both = None
        if trial is not None and trial.other is not None:
            one = Team(trial.variant, plan, query, outcome)
            both = self._interleaved(one, trial, trial.other, asked, published)
            outcome, items = both.outcome, both.items(state, fields)
        else:
            items = make_items(outcome, query, state, fields)
        # What follows tells of the visitor, but changes nothing of the items.
        query = case.query
        slate = self._slate(plan, outcome, items, state)
        if asked.known is not None and asked.known.degraded:
            slate = msgspec.structs.replace(slate, degraded=list(asked.known.degraded))
        withheld: tuple[str, ...] = ()
        if self._offering is not None:
            made = request.as_of is None
            slate, withheld = self._offering.carry(slate, outcome, query, state, made)
        if trial is not None:
            slate = msgspec.structs.replace(slate, experiment=trial.named())
        if request.explain:
            trace = both.trace(state) if both else make_trace(outcome, plan, query, state)
            slate = msgspec.structs.replace(slate, trace=trace)
        inputs = inputs_of(request, plan, query, state, asked.known)
        segments = tuple(sorted(query.traits.segments))
        micros = (self._stopwatch() - began) // 1_000
        detail = served_detail(slate, segments, micros, inputs, withheld)
        if request.as_of is None:
            self._log(shop, asked, slate, detail)
        if keep is not None:
            keep(slate, detail)
        return slate, np.array([pick.row for pick in outcome.picks], np.int32)

    def _interleaved(
        self, one: Team, trial: Trial, other: Trial, asked: Asked, published: PlacementRules
    ) -> Mixed:
        """The slate mixed from one variant's, which is there, and another's, made here."""
        plan, query = resolved(asked._replace(plan=other.plan), self._traits)
        explain, rules = asked.request.explain, other.rules(published)
        outcome = self._pipeline.run(plan, query, asked.state, explain, rules)
        return mixed((one, Team(other.variant, plan, query, outcome)), trial, asked)

    def _given_again(self, case: Case, lookup: Lookup, kept: Kept) -> tuple[Slate, IntArray]:
        """A slate made a moment ago, under a token of its own and logged as any other."""
        asked = case.asked
        degraded = list(asked.known.degraded) if asked.known is not None else []
        slate = msgspec.structs.replace(kept.slate, token=self._new_token(), degraded=degraded)
        segments = tuple(sorted(case.query.traits.segments))
        micros = (self._stopwatch() - case.began) // 1_000
        self._log(case.shop, asked, slate, detail_again(kept, lookup, asked, segments, micros))
        return slate, asked.state.columns.rows([line.product for line in kept.lines])

    def _slate(self, plan: Plan, outcome: Outcome, items: list[Item], state: State) -> Slate:
        return Slate(
            token=self._new_token(),
            placement=plan.name,
            items=items,
            fallback=outcome.fallback,
            degraded=[],
            experiment=None,
            versions={"placement": str(plan.version), "snapshot": state.joined.version},
        )

    def _log(self, shop: str, asked: Asked, slate: Slate, detail: Served) -> None:
        # Its erasure may have begun while the slate was made.
        kept = asked.kept and (shop, asked.visitor) not in self._gate.suppressed
        self._served.add(served_event(shop, asked, slate, detail, kept))
        self.shadow(shop, asked, slate)
