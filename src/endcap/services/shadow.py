"""Drafts worked out on live requests without being shown: after the answer, and never in its way.

Requests are sampled by their token and wait in a short queue; one is taken at a time, with a pause
between, on the event loop (whose state the pipeline reads). When the queue is full, they are
dropped and counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from endcap.core.answer import Slate
from endcap.core.errors import EndcapError, FieldProblem, InvalidInput, NotFound
from endcap.core.event import Event, Line, Served
from endcap.core.ports import Control
from endcap.core.shadow import Shadow, ShadowFigures, ShadowQuestion, ShadowWork
from endcap.core.times import Clock
from endcap.experiments.assign import position
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import Plan

from .gate import Gate
from .placement_drafts import PlacementDrafts
from .placements import PlacementService
from .resolve import Asked, resolved
from .rule_source import RuleSource, TraitSource
from .served import ServedLog
from .versions import Edit, Versions

KIND = "shadow"
SOURCE = "endcap-shadow"
WAITING = 200
PAUSE = 0.005
LOG = logging.getLogger(__name__)


class ShadowSource(Protocol):
    """Reads what was logged of a shadow; blocking."""

    def shadow(self, question: ShadowQuestion) -> ShadowFigures:
        """Its slates beside those shown."""


class ShadowView(msgspec.Struct, frozen=True, kw_only=True):
    """A shadow with what this process did for it and what came out; no version: none runs."""

    placement: str
    version: int | None = None
    sample: float | None = None
    since: int | None = None
    author: str = ""
    draft: dict[str, Any] = {}
    work: ShadowWork = msgspec.field(default_factory=ShadowWork)
    figures: ShadowFigures | None = None


class _Running(NamedTuple):
    shadow: Shadow
    version: int
    plan: Plan
    work: ShadowWork


class _Waiting(NamedTuple):
    shop: str
    asked: Asked
    token: str


class ShadowService:
    """Starts and stops shadows, and works them out."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, given once
        self,
        control: Control,
        placements: PlacementService,
        drafts: PlacementDrafts,
        rules: RuleSource,
        traits: TraitSource,
        served: ServedLog,
        gate: Gate,
        source: Callable[[str], ShadowSource],
        clock: Clock,
        stopwatch: Callable[[], int],
    ) -> None:
        self._versions = Versions(control, KIND, Shadow, clock)
        self._placements = placements
        self._drafts = drafts
        self._rules = rules
        self._traits = traits
        self._served = served
        self._gate = gate
        self._source = source
        self._clock = clock
        self._stopwatch = stopwatch
        self._pipeline = Pipeline()
        self._running: dict[tuple[str, str], _Running] = {}
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def load(self, shop: str) -> None:
        """Read the shop's shadows into memory; what runs on keeps its counts."""
        fresh = {}
        for record in await self._versions.latest(shop):
            known = self._running.get((shop, record.name))
            if known is not None and known.version == record.version:
                fresh[shop, record.name] = known
                continue
            shadow = self._versions.decode(record.body)
            try:
                plan = self._plan(shop, record.name, shadow)
            except EndcapError:
                LOG.exception("shadow left out", extra={"placement": record.name})
                continue
            fresh[shop, record.name] = _Running(shadow, record.version, plan, ShadowWork())
        others = {key: one for key, one in self._running.items() if key[0] != shop}
        self._running = others | fresh

    async def start(self, shop: str, name: str, sample: float, author: str) -> ShadowView:
        """Try the placement's draft, as it is now, on a part of the requests. Raises InvalidInput.

        Raises NotFound for a placement without a draft.
        """
        if not 0 < sample <= 1:
            problem = FieldProblem("/sample", "out_of_range", "must be more than 0, at most 1")
            raise InvalidInput("the draft cannot be tried", [problem])
        draft = await self._drafts.get(shop, name)
        if draft is None or draft.placement is None:
            raise NotFound(f"`{name[:200]}` has no draft; keep one first")
        shadow = Shadow(placement=draft.placement, sample=sample, since=self._clock())
        self._plan(shop, name, shadow)
        await self._versions.append(shop, name, shadow, Edit(author=author))
        await self.load(shop)
        return await self.get(shop, name)

    async def stop(self, shop: str, name: str, author: str) -> None:
        """Try it no more. Raises NotFound."""
        await self._versions.get(shop, name)
        await self._versions.append(shop, name, None, Edit(author=author))
        await self.load(shop)

    async def get(self, shop: str, name: str) -> ShadowView:
        """The shadow of a placement, with what came out. Raises UnknownPlacement."""
        self._placements.plan(shop, name)
        running = self._running.get((shop, name))
        if running is None:
            return ShadowView(placement=name)
        record = await self._versions.get(shop, name)
        question = ShadowQuestion(name, running.version, running.shadow.since)
        figures = await asyncio.to_thread(self._source(shop).shadow, question)
        return ShadowView(
            placement=name,
            version=running.version,
            sample=running.shadow.sample,
            since=running.shadow.since,
            author=record.author,
            draft=msgspec.to_builtins(running.shadow.placement),
            work=msgspec.structs.replace(running.work, waiting=len(self._waiting)),
            figures=figures,
        )

    def offer(self, shop: str, asked: Asked, slate: Slate) -> None:
        """A request was answered; take it, if it is in the sample and there is room."""
        running = self._running.get((shop, asked.plan.name))
        if running is None or position("shadow", slate.token) >= running.shadow.sample:
            return
        if len(self._waiting) >= WAITING:
            running.work.dropped += 1
            return
        self._waiting.append(_Waiting(shop, asked, slate.token))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def settle(self) -> None:
        """Wait until the queue is empty; at the stop, and for tests."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(PAUSE)
            one = self._waiting.popleft()
            running = self._running.get((one.shop, one.asked.plan.name))
            if running is None:
                continue
            try:
                self._served.add(self._scored(running, one))
                running.work.scored += 1
            except Exception:
                running.work.failed += 1
                LOG.exception("a shadow could not be worked out", extra={"token": one.token})

    def _scored(self, running: _Running, one: _Waiting) -> Event:
        began, asked = self._stopwatch(), one.asked
        plan, query = resolved(asked._replace(plan=running.plan), self._traits)
        rules = self._rules.for_placement(one.shop, asked.plan.name)
        outcome = self._pipeline.run(plan, query, asked.state, False, rules)
        ids = asked.state.columns.ids
        lines = tuple(Line(ids[pick.row]) for pick in outcome.picks)
        kept = asked.kept and (one.shop, asked.visitor) not in self._gate.suppressed
        return Event(
            shop=one.shop,
            source=SOURCE,
            event_id=one.token,
            type="shadow",
            visitor=asked.visitor if kept else "",
            session=asked.session if kept else None,
            occurred_at=asked.now,
            received_at=asked.now,
            lines=lines,
            token=one.token,
            zone=asked.request.zone,
            device=asked.request.device,
            placement=asked.plan.name,
            served=Served(
                fallback=outcome.fallback,
                variant=str(running.version),
                micros=(self._stopwatch() - began) // 1_000,
            ),
        )

    def _plan(self, shop: str, name: str, shadow: Shadow) -> Plan:
        return self._placements.changed_plan(shop, name, msgspec.to_builtins(shadow.placement))


def nothing(shop: str, asked: Asked, slate: Slate) -> None:
    """A shop without shadows."""


Offer = Callable[[str, Asked, Slate], None]
