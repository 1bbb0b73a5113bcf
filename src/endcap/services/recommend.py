"""Making recommendations: read the visitor, run the plan, answer, and log what was served."""

import asyncio
from collections.abc import Callable

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.core.answer import Item, Slate
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import Event, Inputs, Line
from endcap.core.ports import VisitorStore
from endcap.core.request import MAX_PAGE, PageRequest, RecommendationRequest
from endcap.core.times import Clock
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.recommend.history import NO_HISTORY, SESSION_MINUTES, read_history
from endcap.recommend.pipeline import Outcome, Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import State
from endcap.recommend.slate import make_items
from endcap.recommend.trace import make_trace

from .choices import asked_plan, check_filter
from .live import LiveState
from .placements import PlacementService
from .resolve import check, make_query
from .rule_source import NoRules, RuleSource
from .served import ServedLog, served_detail
from .traces import inputs_of

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
    ) -> None:
        self._live = live
        self._placements = placements
        self._visitors = visitors
        self._pseudonyms = pseudonyms
        self._served = served
        self._clock = clock
        self._new_token = new_token
        self._rules = rules or NoRules()
        self._session_minutes = session_minutes
        self._pipeline = Pipeline()

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
        slates: list[Slate] = []
        shown: dict[str | None, IntArray] = {}
        for request in page.requests:
            taken = shown.get(request.visitor, NO_ITEMS) if page.distinct else NO_ITEMS
            slate, rows = await self._recommend(shop, request, taken)
            shown[request.visitor] = np.concatenate([taken, rows])
            slates.append(slate)
            await asyncio.sleep(0)  # between two slates of a long page others get their turn
        return slates

    async def _recommend(
        self, shop: str, request: RecommendationRequest, taken: IntArray
    ) -> tuple[Slate, IntArray]:
        check(request, "")
        plan = self._placements.plan(shop, request.placement)
        now = self._clock()
        visitor = self._pseudonyms.visitor(shop, request.visitor) if request.visitor else None
        known = None
        if visitor is not None and plan.personal:
            known = await self._visitors.recent(shop, visitor)
        # From here to the slate nothing waits, so one state serves the whole request.
        state = self._live.state(shop)
        history = NO_HISTORY
        if known is not None:
            session = request.session and self._pseudonyms.session(shop, request.session)
            history = read_history(known, state.columns, now, session, self._session_minutes)
        query = make_query(request, plan, history, state, now)
        query.taken = taken
        query.visitor = visitor or ""
        check_filter(request, state.columns)
        plan = asked_plan(plan, request, query)
        if plan.personal:
            query.corrections = state.merchant.corrections_of(visitor)
        rules = self._rules.for_placement(shop, plan.name)
        outcome = self._pipeline.run(plan, query, state, request.explain, rules)
        fields = tuple(request.fields) if request.fields is not None else None
        items = make_items(outcome, query, state, fields)
        slate = self._slate(plan, outcome, items, state)
        if request.explain:
            slate = msgspec.structs.replace(slate, trace=make_trace(outcome, plan, query, state))
        self._log(
            shop, request, visitor, slate, (now, inputs_of(request, plan, query, state, known))
        )
        return slate, np.array([pick.row for pick in outcome.picks], np.int32)

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

    def _log(
        self,
        shop: str,
        request: RecommendationRequest,
        visitor: str | None,
        slate: Slate,
        made: tuple[int, Inputs],
    ) -> None:
        session = request.session
        now, inputs = made
        self._served.add(
            Event(
                shop=shop,
                source="endcap",
                event_id=slate.token,
                type="served",
                visitor=visitor or "",
                session=self._pseudonyms.session(shop, session) if session else None,
                occurred_at=now,
                received_at=now,
                lines=tuple(Line(item.id) for item in slate.items),
                token=slate.token,
                zone=request.zone,
                device=request.device,
                placement=slate.placement,
                served=served_detail(slate, inputs=inputs),
            )
        )
