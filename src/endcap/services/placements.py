"""Placements: stored as versions, kept in memory as plans ready to run."""

import asyncio
import contextlib
import difflib
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib import resources
from typing import Any

import msgspec

from endcap.core.errors import (
    FieldProblem,
    InvalidInput,
    NotFound,
    UnknownPlacement,
    VersionConflict,
)
from endcap.core.ids import id_problem
from endcap.core.placement import ControlRecord, Placement
from endcap.core.pointers import refusal
from endcap.core.ports import Control
from endcap.core.status import PlacementView, StrategyView
from endcap.core.times import Clock
from endcap.recommend.describe import strategies
from endcap.recommend.plan import Plan, make_plan
from endcap.recommend.registry import Components

from .announcing import Announce, to_nobody

KIND = "placement"
MAX_TITLE = 200
MayGoLive = Callable[[str, str, Placement, str], Awaitable[None]]
"""Raises when this author may not make this placement (of shop and name) live."""
MAX_PARTS = 50
_DECODER = msgspec.json.Decoder(Placement)


def ready_placements() -> dict[str, Placement]:
    """The placements a new shop starts with, from the data file beside this module."""
    text = resources.files(__package__).joinpath("ready_placements.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Placement])


class PlacementService:
    """Reads and writes placements; `plan` answers from memory."""

    def __init__(self, control: Control, components: Components, clock: Clock) -> None:
        self._control = control
        self._components = components
        self._clock = clock
        self._plans: dict[str, dict[str, Plan]] = {}
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._turn = asyncio.Lock()
        self.announce: Announce = to_nobody
        self.may_go_live: MayGoLive | None = None

    async def load(self, shop: str) -> None:
        """Read the shop's placements into memory; a shop with none gets the ready ones."""
        if not await asyncio.to_thread(self._control.latest, shop, KIND):
            for name, placement in ready_placements().items():
                body = msgspec.json.encode(placement)
                # Another process may be doing the same just now.
                with contextlib.suppress(VersionConflict):
                    await self.put(shop, name, body, 0, "endcap", "ready placement")
        async with self._turn:
            records = await asyncio.to_thread(self._control.latest, shop, KIND)
            self._plans[shop] = {record.name: self._plan(record) for record in records}
            self._bodies |= {(shop, record.name): record.body or b"" for record in records}

    def names(self, shop: str) -> list[str]:
        """The names of the live placements."""
        return sorted(self._plans.get(shop, {}))

    def plan(self, shop: str, name: str) -> Plan:
        """The live plan. Raises UnknownPlacement, which lists the nearest names."""
        plans = self._plans.get(shop, {})
        plan = plans.get(name)
        if plan is None:
            near = difflib.get_close_matches(name, plans, 3, 0.5) or sorted(plans)
            raise UnknownPlacement(f"no placement `{name[:200]}`; there is {', '.join(near)}")
        return plan

    def strategies(self) -> list[StrategyView]:
        """Every strategy, as its code describes it."""
        return strategies(self._components)

    async def plan_at(self, shop: str, name: str, version: int) -> Plan:
        """The plan of a version. Raises NotFound."""
        live = self._plans.get(shop, {}).get(name)
        if live is not None and live.version == version:
            return live
        record = await asyncio.to_thread(self._control.get, shop, KIND, name, version)
        if record is None or record.body is None:
            raise NotFound(f"placement `{name}` has no version {version}")
        return self._plan(record)

    async def changed_plan_at(
        self, shop: str, name: str, version: int, changes: dict[str, Any]
    ) -> Plan:
        """A version of a placement with some fields replaced. Raises NotFound or InvalidInput."""
        record = await asyncio.to_thread(self._control.get, shop, KIND, name, version)
        if record is None or record.body is None:
            raise NotFound(f"placement `{name}` has no version {version}")
        body = msgspec.json.encode(msgspec.json.decode(record.body) | changes)
        return make_plan(name, version, _decoded(body), self._components)

    def changed_plan(self, shop: str, name: str, changes: dict[str, Any]) -> Plan:
        """The live placement with some fields replaced. Raises InvalidInput or UnknownPlacement."""
        plan = self.plan(shop, name)
        fields = msgspec.json.decode(self._bodies[shop, name]) | changes
        return make_plan(
            name, plan.version, _decoded(msgspec.json.encode(fields)), self._components
        )

    async def list(self, shop: str) -> Sequence[PlacementView]:
        """The live version of every placement, by name."""
        return [_view(r) for r in await asyncio.to_thread(self._control.latest, shop, KIND)]

    async def get(self, shop: str, name: str, version: int | None = None) -> PlacementView:
        """One version, or the latest. Raises NotFound."""
        record = await asyncio.to_thread(self._control.get, shop, KIND, name, version)
        if record is None or (record.body is None and version is None):
            self.plan(shop, name)  # an unknown name raises here and lists the near ones
            raise NotFound(f"placement `{name}` has no version {version}")
        return _view(record)

    async def history(self, shop: str, name: str) -> Sequence[PlacementView]:
        """Every version, newest first. Raises UnknownPlacement."""
        records = await asyncio.to_thread(self._control.history, shop, KIND, name)
        if not records:
            self.plan(shop, name)
        return [_view(record) for record in records]

    async def put(
        self, shop: str, name: str, body: bytes, expected: int | None, author: str, note: str
    ) -> PlacementView:
        """Check and store a new version; it is live when this returns.

        Raises InvalidInput with every problem, VersionConflict when `expected` is not the version
        now live, or what `may_go_live` raises.
        """
        placement = self.checked(name, body)
        if self.may_go_live is not None:
            await self.may_go_live(shop, name, placement, author)
        async with self._turn:  # so that the plan in memory is that of the newest version
            record = await self._append(
                shop, name, msgspec.json.encode(placement), expected, author, note
            )
            self._plans.setdefault(shop, {})[name] = self._plan(record)
            self._bodies[shop, name] = record.body or b""
        await self._tell(record, shop)
        return _view(record)

    def checked(self, name: str, body: bytes) -> Placement:
        """A placement that could be stored. Raises InvalidInput with every problem."""
        problem = id_problem(name, "/name")
        if problem is None and "/" in name:
            problem = FieldProblem("/name", "invalid", "must not have a `/`")
        if problem is not None:
            raise InvalidInput("the name cannot be used", [problem])
        placement = _decoded(body)
        if problems := list(_sizes(placement)):
            raise InvalidInput("the placement cannot be stored", problems)
        make_plan(name, 0, placement, self._components)
        return placement

    async def delete(self, shop: str, name: str, author: str, note: str) -> None:
        """Take the placement out of use; its versions stay. Raises UnknownPlacement."""
        async with self._turn:
            self.plan(shop, name)
            record = await self._append(shop, name, None, None, author, note)
            self._plans[shop].pop(name, None)
        await self._tell(record, shop)

    async def _tell(self, record: ControlRecord, shop: str) -> None:
        told = {
            "placement": record.name,
            "version": record.version,
            "deleted": record.body is None,
            "by": record.author,
            "note": record.note,
        }
        await self.announce(shop, "placement.changed", told)

    async def _append(
        self,
        shop: str,
        name: str,
        body: bytes | None,
        expected: int | None,
        author: str,
        note: str,
    ) -> ControlRecord:
        record = ControlRecord(
            kind=KIND,
            name=name,
            version=0,
            body=body,
            author=author,
            note=note,
            created_at=self._clock(),
        )
        return await asyncio.to_thread(self._control.put, shop, record, expected)

    def _plan(self, record: ControlRecord) -> Plan:
        return make_plan(
            record.name, record.version, _decoded(record.body or b""), self._components
        )


def _sizes(placement: Placement) -> Iterator[FieldProblem]:
    title = placement.title
    if len(title) > MAX_TITLE or (title and not title.isprintable()):
        message = f"must be up to {MAX_TITLE} printable characters"
        yield FieldProblem("/title", "invalid", message)
    for part in ("strategies", "filters", "rerankers", "fallback"):
        count = len(getattr(placement, part))
        if count > MAX_PARTS:
            yield FieldProblem(f"/{part}", "too_many", f"has {count}, at most {MAX_PARTS}")


def _decoded(body: bytes) -> Placement:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error, body, "the placement cannot be read") from error


def _view(record: ControlRecord) -> PlacementView:
    placement = _decoded(record.body) if record.body is not None else None
    return PlacementView(
        record.name, record.version, placement, record.author, record.note, record.created_at
    )
