"""Rules: drafts as versions, publications as versions too, compiled for the request path."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from endcap.core.errors import EndcapError, InvalidInput, NotFound
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.rule import Rule
from endcap.core.rule_status import Change, Live, Publication, RuleView
from endcap.core.times import Clock
from endcap.recommend.active_rule import ActiveRule
from endcap.recommend.merchandising import NO_RULES, PlacementRules
from endcap.recommend.rule_compiler import about, compile_parts, compile_rule

from .announcing import Announce, to_nobody
from .versions import Edit, MayPublish, Versions, anybody

KIND = "rule"
LIVE = "rule_live"
LOG = logging.getLogger(__name__)


BeforeLive = Callable[[str, Callable[[str], PlacementRules]], Awaitable[None]]
"""Makes ready what requests would wait for; called with a shop's rules before they are live."""


class RuleSet:
    """The published rules of a shop, compiled; never changed, only replaced."""

    def __init__(self, rules: dict[str, tuple[int, Rule]], known: "RuleSet | None" = None) -> None:
        """What `known` has compiled is taken over."""
        self.rules = rules
        self.refused: list[str] = []
        self._active: list[tuple[frozenset[str], ActiveRule]] = []
        self._compiled: dict[str, ActiveRule] = {}
        for name, (version, rule) in sorted(rules.items()):
            if not rule.enabled:
                continue
            try:
                active = known and known.rules.get(name) == (version, rule) and known.made(name)
                active = active or compile_rule(name, version, rule)
            except EndcapError:
                # A rule of an older release may not compile any more: the others go on.
                LOG.exception("rule left out", extra={"rule": name})
                self.refused.append(name)
                continue
            self._compiled[name] = active
            self._active.append((frozenset(rule.placements), active))
        self._by_placement: dict[str, PlacementRules] = {}

    def made(self, name: str) -> ActiveRule | None:
        """A rule, compiled."""
        return self._compiled.get(name)

    def for_placement(self, placement: str) -> PlacementRules:
        """The rules of a placement, in order."""
        found = self._by_placement.get(placement)
        if found is None:
            own = [rule for names, rule in self._active if not names or placement in names]
            found = PlacementRules(own) if own else NO_RULES
            if len(self._by_placement) < 10_000:
                self._by_placement[placement] = found
        return found

    def with_rule(self, name: str, version: int, rule: Rule | None) -> "RuleSet":
        """The set as it would be with one rule more, another version of it, or without it."""
        rules = {n: r for n, r in self.rules.items() if n != name}
        if rule is not None:
            rules[name] = (version, rule)
        return RuleSet(rules, self)


class RuleService:
    """Reads and writes rules; what is published is live when the call returns."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._drafts = Versions(control, KIND, Rule, clock)
        self._lives = Versions(control, LIVE, Live, clock)
        self._sets: dict[str, RuleSet] = {}
        self._past: dict[tuple[str, tuple[tuple[str, int], ...]], RuleSet] = {}
        self._turn = asyncio.Lock()
        self._loading = asyncio.Lock()
        self.before_live: BeforeLive | None = None
        self.announce: Announce = to_nobody
        self.may_publish: MayPublish = anybody

    async def load(self, shop: str) -> None:
        """Read the shop's published rules into memory."""
        # One at a time: a reading that began earlier must not come in later.
        async with self._loading:
            lives = {
                record.name: self._lives.decode(record.body).version
                for record in await self._lives.latest(shop)
            }
            rules = await self._set(shop, {n: v for n, v in lives.items() if v})
            if self.before_live is not None:
                await self.before_live(shop, rules.for_placement)
            self._sets[shop] = rules

    def published(self, shop: str) -> RuleSet:
        """The published rules."""
        return self._sets.get(shop) or RuleSet({})

    def for_placement(self, shop: str, placement: str) -> PlacementRules:
        """The published rules of a placement."""
        rules = self._sets.get(shop)
        return NO_RULES if rules is None else rules.for_placement(placement)

    async def as_of(self, shop: str, placement: str, at: int) -> PlacementRules:
        """The rules that were published at a time (UTC milliseconds)."""
        lives: dict[str, int] = {}
        for record in await self._lives.latest(shop):
            for version in await self._lives.history(shop, record.name):
                if version.created_at <= at:
                    live = self._lives.decode(version.body).version
                    if live:
                        lives[record.name] = live
                    break
        now = {name: version for name, (version, _) in self.published(shop).rules.items()}
        if lives == now:
            return self.for_placement(shop, placement)
        key = (shop, tuple(sorted(lives.items())))
        if key not in self._past:
            self._past[key] = await self._set(shop, lives)
            if len(self._past) > 16:
                self._past.pop(next(iter(self._past)))
        return self._past[key].for_placement(placement)

    async def all(self, shop: str) -> list[RuleView]:
        """The newest version of every rule, by name."""
        return [self._view(shop, r, None) for r in await self._drafts.latest(shop)]

    async def get(self, shop: str, name: str, version: int | None = None) -> RuleView:
        """One version, or the newest. Raises NotFound."""
        record = await self._drafts.get(shop, name, version)
        before = None
        if record.version > 1:
            before = await self._drafts.get(shop, name, record.version - 1)
        return self._view(shop, record, before)

    async def history(self, shop: str, name: str) -> list[RuleView]:
        """Every version, newest first, each with what it changed. Raises NotFound."""
        records = await self._drafts.history(shop, name)
        older: list[ControlRecord | None] = [*records[1:], None]
        return [self._view(shop, r, b) for r, b in zip(records, older, strict=True)]

    async def publications(self, shop: str, name: str) -> list[Publication]:
        """What was live when, newest first."""
        try:
            records = await self._lives.history(shop, name)
        except NotFound:
            return []
        return [
            Publication(
                version=self._lives.decode(r.body).version,
                author=r.author,
                note=r.note,
                at=r.created_at,
            )
            for r in records
        ]

    async def put(self, shop: str, name: str, rule: Rule, edit: Edit) -> RuleView:
        """Check and store a draft; nothing of it is live. Raises InvalidInput, VersionConflict."""
        compile_parts(rule)
        record = await self._drafts.append(shop, name, rule, edit)
        return await self.get(shop, name, record.version)

    async def publish(self, shop: str, name: str, version: int | None, edit: Edit) -> RuleView:
        """Make a version live, the newest when none is named. Raises NotFound, InvalidInput.

        What was live before may come back; a new version needs `may_publish`.
        """
        view = await self.get(shop, name, version)
        if view.rule is None:
            raise NotFound(f"version {view.version} deleted the rule `{name}`")
        compile_parts(view.rule)
        if view.version not in {p.version for p in await self.publications(shop, name)}:
            self.may_publish(shop, view.author, edit.author)
        await self._go_live(shop, name, view.version, edit)
        return await self.get(shop, name, view.version)

    async def roll_back(self, shop: str, name: str, edit: Edit) -> RuleView:
        """Make live again what was live before. Raises NotFound when nothing was."""
        found = await self.publications(shop, name)
        if not found:
            raise NotFound(f"the rule `{name[:200]}` was never published")
        before = next((p.version for p in found[1:] if p.version != found[0].version), 0)
        await self._go_live(shop, name, before, edit)
        return await self.get(shop, name, before or None)

    async def unpublish(self, shop: str, name: str, edit: Edit) -> RuleView:
        """Take a rule out; its drafts stay. Raises NotFound."""
        view = await self.get(shop, name)
        await self._go_live(shop, name, 0, edit)
        return await self.get(shop, name, view.version)

    async def delete(self, shop: str, name: str, edit: Edit) -> None:
        """Take a rule out and delete it; its versions stay readable. Raises NotFound."""
        await self._drafts.get(shop, name)
        if name in self.published(shop).rules:
            await self._go_live(shop, name, 0, edit)
        await self._drafts.append(shop, name, None, edit)

    async def _go_live(self, shop: str, name: str, version: int, edit: Edit) -> None:
        async with self._turn:
            change = edit._replace(expected=None)
            await self._lives.append(shop, name, Live(version=version), change)
            await self.load(shop)
        told = {"rule": name, "version": version or None, "by": edit.author, "note": edit.note}
        await self.announce(shop, "rule.published", told)

    async def _set(self, shop: str, lives: dict[str, int]) -> RuleSet:
        rules: dict[str, tuple[int, Rule]] = {}
        for name, version in lives.items():
            known = self.published(shop).rules.get(name)
            if known is not None and known[0] == version:
                rules[name] = known
                continue
            try:
                record = await self._drafts.get(shop, name, version)
                rules[name] = (version, self._drafts.decode(record.body))
            except (NotFound, InvalidInput):
                LOG.exception("published rule cannot be read", extra={"rule": name})
        return RuleSet(rules, self._sets.get(shop))

    def _view(self, shop: str, record: ControlRecord, before: ControlRecord | None) -> RuleView:
        live = self.published(shop).rules.get(record.name)
        rule = None if record.body is None else self._drafts.decode(record.body)
        published = None if live is None else live[0]
        state = "draft" if published is None else "changed"
        if rule is None:
            state = "deleted"
        elif published == record.version:
            state = "published"
        return RuleView(
            name=record.name,
            version=record.version,
            published=published,
            state=state,  # type: ignore[arg-type]
            rule=rule,
            english="" if rule is None else about(compile_parts(rule)),
            changes=_changes(before.body if before else None, record.body),
            author=record.author,
            note=record.note,
            created_at=record.created_at,
        )


def _changes(before: bytes | None, after: bytes | None) -> list[Change]:
    """The fields that differ between two bodies; nothing when there was none before."""
    if before is None:
        return []
    old: dict[str, Any] = msgspec.json.decode(before)
    new: dict[str, Any] = msgspec.json.decode(after) if after is not None else {}
    names = sorted({*old, *new})
    return [Change(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]
