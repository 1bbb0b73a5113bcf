"""Segments and tags of visitors: stored as versions, worked out live from the visitor's state."""

import asyncio
import logging
from typing import NamedTuple

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput, NotFound
from endcap.core.event import VisitorState
from endcap.core.ids import id_problem
from endcap.core.money import from_minor
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control, VisitorStore
from endcap.core.segment import (
    Segment,
    SegmentView,
    TagsGiven,
    VisitorTags,
    VisitorTraits,
    VisitorView,
)
from endcap.core.times import Clock
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.recommend.environment import values_of
from endcap.recommend.query import STRANGER, Query, State, Traits
from endcap.recommend.traits import traits_of
from endcap.rules.errors import ExpressionError
from endcap.rules.expression import Expression, compile_expression
from endcap.rules.fields import VISITOR_ONLY

from .live import LiveState
from .versions import Edit, Versions

KIND = "segment"
TAGS = "visitor_tags"
MAX_TAGS = 50
READY = {
    "new": Segment(title="New: no order yet, first seen in the last 7 days",
                   when="visitor.orders == 0 && visitor.days_since_first_seen <= 7"),
    "loyal": Segment(title="Loyal: three orders or more, the last within 180 days",
                     when="visitor.orders >= 3 && visitor.days_since_order <= 180"),
    "lapsed": Segment(title="Lapsed: bought before, but not for 180 days",
                      when="visitor.orders > 0 && visitor.days_since_order > 180"),
    "big_spender": Segment(title="Big spender: 500 or more, net of refunds",
                           when="visitor.spend >= 500"),
}  # fmt: skip
LOG = logging.getLogger(__name__)


class _Compiled(NamedTuple):
    name: str
    version: int
    expression: Expression


class SegmentService:
    """Reads and writes segments and tags; `traits` answers from memory."""

    def __init__(
        self,
        control: Control,
        visitors: VisitorStore,
        pseudonyms: Pseudonyms,
        live: LiveState,
        clock: Clock,
        currency: str,
    ) -> None:
        self._versions = Versions(control, KIND, Segment, clock)
        self._tag_versions = Versions(control, TAGS, VisitorTags, clock)
        self._visitors = visitors
        self._pseudonyms = pseudonyms
        self._live = live
        self._clock = clock
        self._currency = currency
        self._segments: dict[str, list[_Compiled]] = {}
        self._strangers: dict[str, Traits] = {}
        self._tags: dict[str, dict[str, frozenset[str]]] = {}
        self._turn = asyncio.Lock()

    async def load(self, shop: str) -> None:
        """Read the shop's segments and tags; a shop with none gets the ready segments."""
        async with self._turn:
            records = await self._versions.latest(shop)
            if not records:
                for name, segment in READY.items():
                    await self._versions.append(shop, name, segment, Edit("endcap", "ready"))
                records = await self._versions.latest(shop)
            self._segments[shop] = [c for r in records if (c := self._compiled(r)) is not None]
            self._strangers.pop(shop, None)
            tags = await self._tag_versions.latest(shop)
            self._tags[shop] = {
                r.name: frozenset(self._tag_versions.decode(r.body).tags) for r in tags
            }

    def names(self, shop: str) -> frozenset[str]:
        """The names of the shop's segments."""
        return frozenset(segment.name for segment in self._segments.get(shop, ()))

    def own(self, shop: str) -> dict[str, str]:
        """The conditions of the segments that are not as they come ready, by name."""
        ready = {name: segment.when for name, segment in READY.items()}
        live = {one.name: one.expression.text for one in self._segments.get(shop, ())}
        return {name: when for name, when in live.items() if ready.get(name) != when}

    def tagged(self, shop: str) -> dict[str, frozenset[str]]:
        """The tags of each visitor (a pseudonym) who has some."""
        return {name: tags for name, tags in dict(self._tags.get(shop, {})).items() if tags}

    def traits(
        self, shop: str, visitor: str | None, known: VisitorState | None, state: State, now: int
    ) -> Traits:
        """Traits and segments of a visitor (a pseudonym) at `now`."""
        tags = self._tags.get(shop, {}).get(visitor or "", frozenset())
        if known is None and not tags:
            return self._stranger(shop, state, now)
        bare = traits_of(known or VisitorState(), state, now, self._currency, tags)
        return self.with_segments(shop, bare, state, now)

    def _stranger(self, shop: str, state: State, now: int) -> Traits:
        """All strangers are alike, unless a segment goes by the time."""
        traits = self._strangers.get(shop)
        if traits is None:
            bare = msgspec.structs.replace(STRANGER, currency=self._currency)
            traits = self.with_segments(shop, bare, state, now)
            segments = self._segments.get(shop, ())
            if not any(root == "now" for s in segments for root, _, _ in s.expression.reads):
                self._strangers[shop] = traits
        return traits

    def with_segments(self, shop: str, traits: Traits, state: State, now: int) -> Traits:
        """The traits with the segments that hold for them."""
        query = Query(now=now, count=1, traits=traits)
        values = values_of(query, state)
        found = [s.name for s in self._segments.get(shop, ()) if s.expression.holds(values)]
        return msgspec.structs.replace(traits, segments=frozenset(found)) if found else traits

    async def view(self, shop: str, visitor: str) -> VisitorView:
        """What is known of a visitor. Raises InvalidInput."""
        pseudonym = self._pseudonym(shop, visitor)
        known = await self._visitors.recent(shop, pseudonym)
        state = self._live.state(shop)
        traits = self.traits(shop, pseudonym, known, state, self._clock())
        return VisitorView(
            visitor=visitor,
            traits=VisitorTraits(
                orders=traits.orders,
                spend=from_minor(traits.spend, traits.currency),
                currency=traits.currency,
                days_since_seen=traits.days_since_seen,
                days_since_first_seen=traits.days_since_first_seen,
                days_since_order=traits.days_since_order,
                favourite_category=traits.favourite_category,
                device=traits.device,
                zone=traits.zone,
                tags=sorted(traits.tags),
            ),
            segments=sorted(traits.segments),
        )

    async def set_tags(self, shop: str, visitor: str, tags: VisitorTags, edit: Edit) -> None:
        """Give a visitor these tags in place of those before. Raises InvalidInput."""
        problems = [p for n, t in enumerate(tags.tags) if (p := id_problem(t, f"/tags/{n}"))]
        if len(tags.tags) > MAX_TAGS:
            problems = [FieldProblem("/tags", "too_many", f"at most {MAX_TAGS}")]
        if problems:
            raise InvalidInput("the tags cannot be given", problems)
        pseudonym = self._pseudonym(shop, visitor)
        async with self._turn:
            value = tags if tags.tags else None
            await self._tag_versions.append(shop, pseudonym, value, edit)
            self._tags.setdefault(shop, {})[pseudonym] = frozenset(tags.tags)

    async def tags_of(self, shop: str, pseudonym: str) -> list[TagsGiven]:
        """Every tag that a visitor was ever given, newest first."""
        try:
            records = await self._tag_versions.history(shop, pseudonym)
        except NotFound:
            return []
        return [
            TagsGiven(
                [] if r.body is None else self._tag_versions.decode(r.body).tags, r.created_at
            )
            for r in records
        ]

    def forget(self, shop: str, pseudonym: str) -> None:
        """Drop the tags of a visitor from memory."""
        self._tags.get(shop, {}).pop(pseudonym, None)

    async def all(self, shop: str) -> list[SegmentView]:
        """The live version of every segment, by name."""
        return [self._view(record) for record in await self._versions.latest(shop)]

    async def get(self, shop: str, name: str, version: int | None) -> SegmentView:
        """One version, or the latest. Raises NotFound."""
        return self._view(await self._versions.get(shop, name, version))

    async def history(self, shop: str, name: str) -> list[SegmentView]:
        """Every version, newest first. Raises NotFound."""
        return [self._view(record) for record in await self._versions.history(shop, name)]

    async def put(self, shop: str, name: str, segment: Segment, edit: Edit) -> SegmentView:
        """Check and store a version; it is live when this returns. Raises InvalidInput."""
        try:
            compile_expression(segment.when, VISITOR_ONLY)
        except ExpressionError as error:
            raise InvalidInput("the segment cannot be used", [error.problem("/when")]) from error
        record = await self._versions.append(shop, name, segment, edit)
        await self.load(shop)
        return self._view(record)

    async def delete(self, shop: str, name: str, edit: Edit) -> None:
        """Take a segment out of use; its versions stay. Raises NotFound."""
        await self._versions.get(shop, name)
        await self._versions.append(shop, name, None, edit)
        await self.load(shop)

    def _pseudonym(self, shop: str, visitor: str) -> str:
        if problem := id_problem(visitor, "/visitor"):
            raise InvalidInput("the visitor cannot be looked up", [problem])
        return self._pseudonyms.visitor(shop, visitor)

    def _compiled(self, record: ControlRecord) -> _Compiled | None:
        try:
            segment = self._versions.decode(record.body)
            expression = compile_expression(segment.when, VISITOR_ONLY)
        except (ExpressionError, InvalidInput):
            LOG.exception("segment left out", extra={"segment": record.name})
            return None
        return _Compiled(record.name, record.version, expression)

    def _view(self, record: ControlRecord) -> SegmentView:
        segment = None if record.body is None else self._versions.decode(record.body)
        compiled = None if record.body is None else self._compiled(record)
        return SegmentView(
            name=record.name,
            version=record.version,
            segment=segment,
            english=compiled.expression.english() if compiled else "",
            author=record.author,
            note=record.note,
            created_at=record.created_at,
        )
