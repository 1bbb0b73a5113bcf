"""Experiments: set up, started and stopped as control data; who meets what, from memory."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from endcap.core.errors import EndcapError, FieldProblem, InvalidInput, NotFound
from endcap.core.experiment import HOLD_OUT, INTERLEAVED, Experiment, ExperimentView
from endcap.core.placement import ControlRecord
from endcap.core.pointers import refusal
from endcap.core.ports import Control
from endcap.core.times import Clock
from endcap.experiments.assign import Subject, assigned, free_slice
from endcap.recommend.plan import Plan

from .announcing import Announce, to_nobody
from .experiment_checks import experiment_problems
from .placements import PlacementService
from .trials import Trial, together
from .versions import MayPublish, anybody

KIND = "experiment"
_DECODER = msgspec.json.Decoder(Experiment)


class NotAllowedNow(EndcapError):
    """The state it is in does not allow this change; the detail says what does."""

    status = 409
    code = "not_allowed_now"
    title = "Not allowed now"


class ExperimentService:
    """Reads and changes experiments. Variants' plans are kept ready per placement version."""

    def __init__(
        self,
        control: Control,
        placements: PlacementService,
        clock: Clock,
        new_salt: Callable[[], str],
    ) -> None:
        self._control = control
        self._placements = placements
        self._clock = clock
        self._new_salt = new_salt
        self._running: dict[str, dict[str, list[tuple[str, Experiment]]]] = {}
        self._plans: dict[tuple[str, str, str, str, int], Plan] = {}
        self._turn = asyncio.Lock()
        self.announce: Announce = to_nobody
        self.may_publish: MayPublish = anybody

    async def load(self, shop: str) -> None:
        """Read the shop's experiments into memory."""
        records = await asyncio.to_thread(self._control.latest, shop, KIND)
        by_placement: dict[str, list[tuple[str, Experiment]]] = {}
        for record in records:
            experiment = _decoded(record.body or b"")
            if experiment.state == "running":
                for placement in experiment.placements:
                    by_placement.setdefault(placement, []).append((record.name, experiment))
        self._running[shop] = by_placement
        self._plans = {key: plan for key, plan in self._plans.items() if key[0] != shop}

    def trial(self, shop: str, plan: Plan, subject: Subject, now: int) -> Trial | None:
        """The variant that the visitor meets; experiments on a placement exclude each other."""
        running = self._running.get(shop, {}).get(plan.name)
        if not running or not subject.visitor:
            return None
        for name, experiment in running:
            variant = assigned(experiment, subject, now)
            if variant == HOLD_OUT:
                return Trial(name, HOLD_OUT, plan)
            if variant is not None:
                met = [v for v in experiment.variants if v.name == variant]
                if experiment.type == "interleaving":
                    met = experiment.variants
                trials = [
                    Trial(
                        name,
                        one.name,
                        self._changed(shop, name, plan, (one.name, one.changes)),
                        frozenset(one.rules_off),
                    )
                    for one in met
                ]
                return together(trials, experiment.salt)
        return None

    async def again(self, shop: str, plan: Plan, experiment: str, variant: str) -> Trial | None:
        """A variant as it was met on a version of a placement; None when it is not known.

        Variants do not change once an experiment runs, so its newest version with a body has them.
        """
        if variant == HOLD_OUT:
            return Trial(experiment, variant, plan)
        for record in await asyncio.to_thread(self._control.history, shop, KIND, experiment):
            kept = _decoded(record.body) if record.body is not None else None
            if kept is None:
                continue
            mixed = kept.type == "interleaving" and variant == INTERLEAVED
            trials = [
                Trial(
                    experiment,
                    one.name,
                    await self._placements.changed_plan_at(
                        shop, plan.name, plan.version, one.changes
                    ),
                    frozenset(one.rules_off),
                )
                for one in kept.variants
                if mixed or one.name == variant
            ]
            if trials:
                return together(trials, kept.salt)
        return None

    async def list(self, shop: str) -> Sequence[ExperimentView]:
        """The newest version of every experiment, by name."""
        return [_view(r) for r in await asyncio.to_thread(self._control.latest, shop, KIND)]

    async def get(self, shop: str, name: str) -> ExperimentView:
        """One experiment. Raises NotFound."""
        record = await asyncio.to_thread(self._control.get, shop, KIND, name, None)
        if record is None or record.body is None:
            raise NotFound(f"no experiment `{name[:200]}`")
        return _view(record)

    async def put(self, shop: str, name: str, body: bytes, author: str) -> ExperimentView:
        """Store a draft, or raise the traffic of a running one. Raises InvalidInput.

        Raises NotAllowedNow for another change of a running experiment, or any of a stopped one.
        """
        given = _decoded(body)
        await self._check(shop, name, given)
        async with self._turn:
            before = await self._before(shop, name)
            if before is None or before.state == "draft":
                fresh = {"state": "draft", "salt": "", "started_at": None, "stopped_at": None}
                stored = msgspec.structs.replace(given, slice_from=0.0, **fresh)
            else:
                stored = _raised(before, given)
            return await self._store(shop, name, stored, (author, ""))

    async def start(self, shop: str, name: str, author: str) -> ExperimentView:
        """Let visitors in from now on. Raises NotAllowedNow."""
        async with self._turn:
            view = await self.get(shop, name)
            draft = view.experiment
            if draft.state != "draft":
                raise NotAllowedNow(f"it is {draft.state}; only a draft can be started")
            self.may_publish(shop, view.author, author)
            await self._check(shop, name, draft)
            others = [v for v in await self.list(shop) if v.experiment.state == "running"]
            begin = _slice_beside(draft, others)
            started = msgspec.structs.replace(
                draft,
                state="running",
                salt=self._new_salt(),
                slice_from=begin,
                started_at=self._clock(),
            )
            return await self._store(shop, name, started, (author, "started"))

    async def stop(self, shop: str, name: str, author: str) -> ExperimentView:
        """End it; its results stay as they are then. Raises NotAllowedNow."""
        async with self._turn:
            running = (await self.get(shop, name)).experiment
            if running.state != "running":
                raise NotAllowedNow(f"it is {running.state}; only a running one can be stopped")
            stopped = msgspec.structs.replace(running, state="stopped", stopped_at=self._clock())
            return await self._store(shop, name, stopped, (author, "stopped"))

    async def delete(self, shop: str, name: str, author: str) -> None:
        """Take it out of the list; its versions stay. Raises NotAllowedNow while it runs."""
        async with self._turn:
            if (await self.get(shop, name)).experiment.state == "running":
                raise NotAllowedNow("it is running; stop it first")
            await self._append(shop, name, None, (author, "deleted"))

    async def _before(self, shop: str, name: str) -> Experiment | None:
        record = await asyncio.to_thread(self._control.get, shop, KIND, name, None)
        return None if record is None or record.body is None else _decoded(record.body)

    async def _check(self, shop: str, name: str, given: Experiment) -> None:
        problems = experiment_problems(name, given)
        for place, placement in enumerate(given.placements):
            try:
                live = self._placements.plan(shop, placement)
                for number, variant in enumerate(given.variants):
                    at = f"/variants/{number}/changes"
                    problems += self._variant_problems(shop, live.name, variant.changes, at)
            except NotFound as error:
                problems.append(FieldProblem(f"/placements/{place}", "unknown", error.detail))
        if problems:
            raise InvalidInput("the experiment cannot work", problems)

    def _variant_problems(
        self, shop: str, placement: str, changes: dict[str, Any], at: str
    ) -> Sequence[FieldProblem]:
        try:
            self._placements.changed_plan(shop, placement, changes)
        except InvalidInput as error:
            return [FieldProblem(at + p.pointer, p.code, p.message) for p in error.problems]
        return []

    def _changed(
        self, shop: str, name: str, plan: Plan, variant: tuple[str, dict[str, Any]]
    ) -> Plan:
        if not variant[1]:
            return plan
        key = (shop, name, variant[0], plan.name, plan.version)
        made = self._plans.get(key)
        if made is None:
            made = self._plans[key] = self._placements.changed_plan(shop, plan.name, variant[1])
        return made

    async def _store(
        self, shop: str, name: str, experiment: Experiment, by: tuple[str, str]
    ) -> ExperimentView:
        record = await self._append(shop, name, msgspec.json.encode(experiment), by)
        await self.load(shop)
        if by[1] in ("started", "stopped"):
            told = {"experiment": name, "by": by[0], "placements": experiment.placements}
            await self.announce(shop, f"experiment.{by[1]}", told)
        return _view(record)

    async def _append(
        self, shop: str, name: str, body: bytes | None, by: tuple[str, str]
    ) -> ControlRecord:
        record = ControlRecord(
            kind=KIND,
            name=name,
            version=0,
            body=body,
            author=by[0],
            note=by[1],
            created_at=self._clock(),
        )
        return await asyncio.to_thread(self._control.put, shop, record, None)


def _slice_beside(draft: Experiment, running: Sequence[ExperimentView]) -> float:
    """Where the experiment's slice of its layer begins. Raises NotAllowedNow."""
    for view in running:
        other = view.experiment
        if other.layer != draft.layer and set(other.placements) & set(draft.placements):
            raise NotAllowedNow(
                f"`{view.name}` runs on the same placement in layer `{other.layer}`; experiments "
                "on one placement must share a layer, so that no visitor is in both"
            )
    taken = [
        (v.experiment.slice_from, v.experiment.share)
        for v in running
        if v.experiment.layer == draft.layer
    ]
    begin = free_slice(taken, draft.share)
    if begin is None:
        raise NotAllowedNow(
            f"layer `{draft.layer}` has no free share of {draft.share:.0%}; stop an experiment "
            "there or take a smaller share"
        )
    return begin


def _raised(before: Experiment, given: Experiment) -> Experiment:
    """A running experiment with more traffic. Raises NotAllowedNow for any other change."""
    if before.state == "stopped":
        raise NotAllowedNow("it is stopped; its results stay as they are. Set up a new one.")
    kept = {
        name: getattr(before, name)
        for name in ("state", "salt", "slice_from", "started_at", "stopped_at")
    }
    same = msgspec.structs.replace(
        given, traffic=before.traffic, ramp=before.ramp, title=before.title, **kept
    )
    if same != before or given.traffic < before.traffic:
        raise NotAllowedNow("it is running: only its title, and more traffic, can be set")
    return msgspec.structs.replace(given, **kept)


def _decoded(body: bytes) -> Experiment:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error, body, "the experiment cannot be read") from error


def _view(record: ControlRecord) -> ExperimentView:
    return ExperimentView(
        name=record.name,
        version=record.version,
        experiment=_decoded(record.body or b""),
        author=record.author,
        changed_at=record.created_at,
    )
