"""Making recommendations: read the visitor, run the plan, answer, and log what was served."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.core.answer import Item, Slate
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import Event, Line
from endcap.core.ids import id_problem
from endcap.core.ports import VisitorStore
from endcap.core.product import Product
from endcap.core.request import MAX_COUNT, MAX_PAGE, PageRequest, RecommendationRequest
from endcap.core.times import Clock
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.recommend.history import NO_HISTORY, History, read_history
from endcap.recommend.pipeline import Outcome, Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State
from endcap.recommend.slate import make_items

from .live import LiveState
from .placements import PlacementService
from .served import ServedLog, served_detail

MAX_SEEDS = 50
MAX_EXCLUDED = 1_000
# What the shop pays for a product is not for its visitors.
SHOWN_FIELDS = frozenset(Product.__struct_fields__) - {"cost"}
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
    ) -> None:
        self._live = live
        self._placements = placements
        self._visitors = visitors
        self._pseudonyms = pseudonyms
        self._served = served
        self._clock = clock
        self._new_token = new_token
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
            history = read_history(known, state.columns, now, session)
        query = make_query(request, plan, history, state, now)
        query.taken = taken
        outcome = self._pipeline.run(plan, query, state, request.explain)
        fields = tuple(request.fields) if request.fields is not None else None
        items = make_items(outcome.picks, state, fields)
        slate = self._slate(plan, outcome, items, state)
        self._log(shop, request, visitor, slate, now)
        return slate, np.array([pick.row for pick in outcome.picks], np.int32)

    def _slate(self, plan: Plan, outcome: Outcome, items: list[Item], state: State) -> Slate:
        trace: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
        if outcome.trace is not None:
            trace = outcome.trace
        return Slate(
            token=self._new_token(),
            placement=plan.name,
            items=items,
            fallback=outcome.fallback,
            degraded=[],
            experiment=None,
            versions={"placement": str(plan.version), "snapshot": state.joined.version},
            trace=trace,
        )

    def _log(
        self,
        shop: str,
        request: RecommendationRequest,
        visitor: str | None,
        slate: Slate,
        now: int,
    ) -> None:
        session = request.session
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
                served=served_detail(slate),
            )
        )


def check(request: RecommendationRequest, pointer: str) -> None:
    """Raise InvalidInput with every problem of the request."""
    problems: list[FieldProblem] = []
    for field in ("visitor", "session", "zone", "device", "category"):
        value = getattr(request, field)
        if value is not None and (problem := id_problem(value, f"{pointer}/{field}")):
            problems.append(problem)
    limits = (("seed", MAX_SEEDS), ("cart", MAX_EXCLUDED), ("exclude", MAX_EXCLUDED))
    for field, limit in limits:
        values = getattr(request, field) or []
        if len(values) > limit:
            problems.append(
                FieldProblem(
                    f"{pointer}/{field}", "too_many", f"has {len(values)}, at most {limit}"
                )
            )
            continue
        for place, value in enumerate(values):
            if problem := id_problem(value, f"{pointer}/{field}/{place}"):
                problems.append(problem)
    problems += _unknown_fields(request, pointer)
    if request.count is not None and not 1 <= request.count <= MAX_COUNT:
        problems.append(
            FieldProblem(f"{pointer}/count", "out_of_range", f"must be 1 to {MAX_COUNT}")
        )
    if problems:
        raise InvalidInput("the request cannot be answered", problems)


def _unknown_fields(request: RecommendationRequest, pointer: str) -> list[FieldProblem]:
    known = ", ".join(sorted(SHOWN_FIELDS))
    return [
        FieldProblem(
            f"{pointer}/fields/{place}",
            "unknown_field",
            f"no field `{name[:64]}`; there is {known}",
        )
        for place, name in enumerate(request.fields or ())
        if name not in SHOWN_FIELDS
    ][:10]


def make_query(
    request: RecommendationRequest, plan: Plan, history: History, state: State, now: int
) -> Query:
    """Turn ids into rows. Ids the catalogue does not know are left out."""
    columns = state.columns
    seeds = columns.rows(dict.fromkeys(request.seed))
    return Query(
        now=now,
        count=request.count or plan.slots,
        seeds=seeds,
        cart=history.cart if request.cart is None else columns.rows(dict.fromkeys(request.cart)),
        viewed=history.viewed,
        bought=history.bought,
        owned=history.owned,
        session=history.session,
        trail=history.trail,
        excluded=columns.rows(request.exclude),
        category=request.category,
        zone=request.zone,
        device=request.device,
    )
