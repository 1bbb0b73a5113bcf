"""The check of a draft rule: contradictions, what is dead or shadowed, names nothing goes by."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import BoolArray
from endcap.catalog.fields import CatalogFields
from endcap.core.rule import (
    BadgeEffect,
    BoostEffect,
    BuryEffect,
    FilterEffect,
    OfferEffect,
    PinEffect,
    Rule,
)
from endcap.core.rule_status import Finding
from endcap.recommend.query import State
from endcap.recommend.rule_compiler import Compiled, compile_parts
from endcap.recommend.schedules import is_over
from endcap.rules.errors import ExpressionError, did_you_mean
from endcap.rules.typed import Apply, Constant, walk


class Known(NamedTuple):
    """What the check may look at."""

    state: State
    now: int
    placements: frozenset[str]
    segments: frozenset[str]


class Candidate(NamedTuple):
    """A rule in the check; `mask` are the live products it is about, None when that depends."""

    name: str
    parts: Compiled
    mask: BoolArray | None

    @property
    def rule(self) -> Rule:
        """The rule as edited."""
        return self.parts.rule


def check_rule(name: str, rule: Rule, others: dict[str, Rule], known: Known) -> list[Finding]:
    """Everything found about one draft beside the other published rules."""
    draft = _candidate(name, rule, known)
    rest = [_candidate(n, r, known) for n, r in sorted(others.items()) if n != name and r.enabled]
    near = [other for other in rest if _overlap(rule, other.rule)]
    return [
        *_dead(draft, known),
        *_names(draft, known),
        *_costly(draft, known),
        *_only_and_never(draft, near),
        *_pins(draft, near),
        *_scores(draft, near),
        *_shadowed(draft, near),
    ]


def matching(parts: Compiled, known: Known) -> BoolArray | None:
    """The live products a rule is about; None when it depends on the request."""
    columns = known.state.columns
    size = len(columns)
    alive: BoolArray = columns.alive[:size].copy()
    if parts.where is None:
        effect = parts.rule.effect
        if isinstance(effect, PinEffect):
            named = np.zeros(size, np.bool_)
            named[columns.rows(effect.products)] = True
            return alive & named
        return alive
    if not parts.where.product_only:
        return None
    return alive & parts.where.mask(CatalogFields(columns, known.now), slice(0, size), {})


def _candidate(name: str, rule: Rule, known: Known) -> Candidate:
    parts = compile_parts(rule)
    return Candidate(name, parts, matching(parts, known))


def _overlap(one: Rule, other: Rule) -> bool:
    """Whether both can be on in one request, as far as placements and zones tell."""
    places = not one.placements or not other.placements or {*one.placements} & {*other.placements}
    zones = not one.zones or not other.zones or {*one.zones} & {*other.zones}
    return bool(places and zones)


def _dead(draft: Candidate, known: Known) -> Iterator[Finding]:
    rule = draft.rule
    if is_over(rule.schedule, known.now):
        yield _finding("error", "schedule_over", "its schedule is over: it would never hold", draft)
    missing = sorted({*rule.placements} - known.placements)
    if missing:
        hint = did_you_mean(missing[0], known.placements)
        message = f"there is no placement `{missing[0]}`; {hint}"
        level = "error" if len(missing) == len(rule.placements) else "warning"
        yield _finding(level, "unknown_placement", message, draft)
    if draft.mask is not None and not draft.mask.any():
        yield _finding("warning", "matches_nothing", "no live product matches it now", draft)
    when = draft.parts.when
    if when is not None and isinstance(when.root, Constant) and when.root.value is False:
        yield _finding("error", "never_on", "its `when` is always false", draft)
    if not rule.enabled:
        yield _finding("warning", "disabled", "it is switched off", draft)


def _names(draft: Candidate, known: Known) -> Iterator[Finding]:
    """Names that nothing goes by: offers, attributes and segments."""
    effect, offers = draft.rule.effect, known.state.merchant.offers
    if isinstance(effect, OfferEffect) and effect.offer not in offers:
        message = f"there is no offer `{effect.offer}`; {did_you_mean(effect.offer, offers)}"
        yield _finding("error", "unknown_offer", message, draft)
    attributes = known.state.columns.attributes
    for expression in (draft.parts.when, draft.parts.where):
        if expression is None:
            continue
        for root, name, key in sorted(expression.reads, key=str):
            if root == "product" and name == "attributes" and attributes.find(key or "") is None:
                hint = did_you_mean(key or "", attributes.names())
                message = f"no product has the attribute `{key}`; {hint}"
                yield _finding("warning", "unknown_attribute", message, draft)
        for node in walk(expression.root):
            if isinstance(node, Apply) and node.operator.symbol == "segment":
                asked = node.args[1]
                if isinstance(asked, Constant) and asked.value not in known.segments:
                    hint = did_you_mean(str(asked.value), known.segments)
                    message = f"there is no segment `{asked.value}`; {hint}"
                    yield _finding("error", "unknown_segment", message, draft)


def _costly(draft: Candidate, known: Known) -> Iterator[Finding]:
    where = draft.parts.where
    if where is None:
        return
    try:
        where.check_values(CatalogFields(known.state.columns, known.now))
    except ExpressionError as error:
        yield _finding("error", "too_costly", str(error), draft)


def _only_and_never(draft: Candidate, near: list[Candidate]) -> Iterator[Finding]:
    mode = _mode(draft)
    if mode is None or draft.mask is None:
        return
    for other in near:
        theirs = _mode(other)
        if theirs is None or other.mask is None:
            continue
        if mode == theirs == "only" and not (draft.mask & other.mask).any():
            message = f"`{other.name}` shows only other products: together they show none"
            yield _finding("error", "contradiction", message, draft, other)
        if {mode, theirs} == {"only", "never"}:
            only, never = (draft, other) if mode == "only" else (other, draft)
            assert only.mask is not None and never.mask is not None
            both = int((only.mask & never.mask).sum())
            if both and both == int(only.mask.sum()):
                message = f"`{only.name}` shows only what `{never.name}` never shows"
                yield _finding("error", "contradiction", message, draft, other)
            elif both:
                message = f"{both:,} products are among `{only.name}` but never shown"
                yield _finding("warning", "overlap", message, draft, other)


def _pins(draft: Candidate, near: list[Candidate]) -> Iterator[Finding]:
    effect = draft.rule.effect
    if not isinstance(effect, PinEffect):
        return
    mine = _slots(effect)
    for other in near:
        theirs = other.rule.effect
        if not isinstance(theirs, PinEffect) or not mine & _slots(theirs):
            continue
        slots = ", ".join(str(slot) for slot in sorted(mine & _slots(theirs)))
        same = draft.rule.priority == other.rule.priority
        conditional = draft.rule.when or other.rule.when
        if effect.forced and theirs.forced and same and not conditional:
            message = f"`{other.name}` forces other products into slot {slots}, too"
            yield _finding("error", "contradiction", message, draft, other)
        else:
            message = f"`{other.name}` pins slot {slots}, too: the lower one goes to the next slot"
            yield _finding("warning", "same_slot", message, draft, other)


def _scores(draft: Candidate, near: list[Candidate]) -> Iterator[Finding]:
    for other in near:
        kinds = {type(draft.rule.effect), type(other.rule.effect)}
        if kinds != {BoostEffect, BuryEffect} or draft.mask is None or other.mask is None:
            continue
        both = int((draft.mask & other.mask).sum())
        if both:
            message = f"{both:,} products are boosted and buried by it and `{other.name}`"
            yield _finding("warning", "boost_and_bury", message, draft, other)


def _shadowed(draft: Candidate, near: list[Candidate]) -> Iterator[Finding]:
    """Products that another rule never shows need no further rule."""
    if draft.mask is None or not draft.mask.any():
        return
    effect = draft.rule.effect
    useless = isinstance(effect, BoostEffect | BuryEffect | BadgeEffect) or _mode(draft) == "never"
    if isinstance(effect, PinEffect) and not effect.forced:
        useless = True
    for other in near:
        whole = not (other.rule.when or other.rule.zones or other.rule.schedule)
        wide = not other.rule.placements or {*draft.rule.placements} <= {*other.rule.placements}
        wide = wide and (not other.rule.placements or bool(draft.rule.placements))
        if not (useless and whole and wide) or other.mask is None or _mode(other) != "never":
            continue
        if not (draft.mask & ~other.mask).any():
            message = f"`{other.name}` never shows any of its products: it has no effect"
            yield _finding("warning", "shadowed", message, draft, other)


def _mode(one: Candidate) -> str | None:
    effect = one.rule.effect
    return effect.mode if isinstance(effect, FilterEffect) else None


def _slots(effect: PinEffect) -> set[int]:
    many = len(effect.products) if effect.products else effect.count
    return set(range(effect.slot, effect.slot + many))


def _finding(level: str, code: str, message: str, *rules: Candidate) -> Finding:
    return Finding(level=level, code=code, message=message, rules=[r.name for r in rules])  # type: ignore[arg-type]
