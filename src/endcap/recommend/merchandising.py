"""Published rules on the request path: which hold for a request, and what they do to candidates."""

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import BoolArray, FloatArray, IntArray
from endcap.core.rule import (
    BadgeEffect,
    BoostEffect,
    BuryEffect,
    Effect,
    FilterEffect,
    OfferEffect,
    PinEffect,
    QuotaEffect,
)

from .active_rule import ActiveRule, in_order
from .conditions import Conditions
from .query import Query, State
from .rule_bits import Section, sections
from .rule_tests import ProductTest
from .varying import Varying, stretches

FACTORS = (BoostEffect, BuryEffect)
Numbered = tuple[int, ActiveRule]


class PlacementRules:
    """The rules of one placement, split by what can be worked out once for the whole catalogue.

    `fixed_filters` and the rules of the sections (`always`, `sometimes`, `cuts`, `marks`) read
    nothing but the product: which products they match is kept in bits. What the others match is
    worked out for each request.
    """

    def __init__(self, rules: Iterable[ActiveRule] = ()) -> None:
        self.rules = in_order(rules)
        self.conditions = Conditions(self.rules)
        factors, filters = self.of(*FACTORS), self.of(FilterEffect)
        self.fixed_filters = tuple(r for _, r in filters if _fixed(r) and r.always)
        self.always, self.sometimes, self.cuts, self.marks = sections(
            [one for one in factors if _fixed(one[1]) and one[1].always],
            [one for one in factors if _fixed(one[1]) and not one[1].always],
            [one for one in filters if _fixed(one[1]) and not one[1].always],
            [one for one in self.of(BadgeEffect) if _fixed(one[1])],
        )
        self.fixed = (self.always, self.sometimes, self.cuts, self.marks)
        self.factors, self.filters, self.badges = (
            Varying([one for one in own if not _fixed(one[1])])
            for own in (factors, filters, self.of(BadgeEffect))
        )
        self.applied = {number: (rule, rule.factor) for number, rule in factors}
        self.own_factors = np.array([[rule.factor] for _, rule in self.factors.rules])
        self.pins, self.quotas = self.of(PinEffect), self.of(QuotaEffect)
        self.offers = self.of(OfferEffect)
        kept = [*self.fixed_filters, *(r for part in self.fixed for _, r in part.rules)]
        # One text, whose hash is worked out once. Drafts of one name have no version to tell apart.
        self.fixed_key = "\n".join(f"{r.label} {r.effect} {_text(r)}" for r in kept)

    def of(self, *effects: type[Effect]) -> list[Numbered]:
        """The rules with these effects, in order, each with its number."""
        return [(n, r) for n, r in enumerate(self.rules) if isinstance(r.effect, effects)]

    @cached_property
    def stamp(self) -> str:
        """The same wherever the same versions of the same rules hold."""
        text = msgspec.msgpack.encode([rule.label for rule in self.rules])
        return hashlib.blake2b(text, digest_size=12).hexdigest()


NO_RULES = PlacementRules()


class Fixed(NamedTuple):
    """What the fixed rules do to some rows.

    `keep` says what the filters that are always on let through, `factor` is the product of the
    boosts and buries that are always on, and `by` [rows, bytes] holds the bits of the sections: a
    rule that matches (of `cuts`: that removes the row).
    """

    keep: BoolArray
    factor: FloatArray
    by: npt.NDArray[np.uint8]


class Effects(Protocol):
    """The same, each part read when it is needed."""

    @property
    def keep(self) -> BoolArray:
        """See `Fixed`."""

    @property
    def factor(self) -> FloatArray:
        """See `Fixed`."""

    @property
    def by(self) -> npt.NDArray[np.uint8]:
        """See `Fixed`."""


EffectsOf = Callable[[PlacementRules, IntArray, State, str | None], Effects]


class RequestRules:
    """The rules that are on for one request."""

    def __init__(
        self, rules: PlacementRules, query: Query, state: State, effects: EffectsOf | None = None
    ) -> None:
        self._query = query
        self._state = state
        self._rules = rules
        self._effects = effects
        self._on = rules.conditions.on(query, state) if rules.rules else 0
        self.pins = self._active(rules.pins)
        self.quotas = self._active(rules.quotas)
        self.offers = self._active(rules.offers)

    @property
    def active(self) -> tuple[ActiveRule, ...]:
        """All of them, in order."""
        return tuple(self._active(enumerate(self._rules.rules)))

    def keep(self, rows: IntArray, mask: BoolArray) -> BoolArray:
        """`mask` less what filter rules remove."""
        rules = self._rules
        if rules.fixed_filters or rules.cuts.bits & self._on:
            fixed = self._fixed(rows)
            mask &= fixed.keep
            if rules.cuts.bits & self._on:
                mask &= ~rules.cuts.any(fixed.by, self._on)
        if rules.filters.any_on(self._on):
            on = rules.filters.on(self._on)
            for part in stretches(len(rows)):
                mask[part] &= self._let_through(rows[part], on)
        return mask

    def removed_by(self, row: int) -> ActiveRule | None:
        """The first filter rule that removes the row."""
        one = np.array([row], np.int32)
        for rule in self._active(self._rules.of(FilterEffect)):
            if not rule.keeps(one, self._query, self._state)[0]:
                return rule
        return None

    def factor(self, rows: IntArray, cap: float) -> FloatArray | None:
        """What scores are multiplied by; None when no rule boosts or buries."""
        rules = self._rules
        varying = rules.factors.any_on(self._on)
        if not rules.always.rules and not rules.sometimes.bits & self._on and not varying:
            return None
        factor = np.ones(len(rows))
        if rules.always.rules or rules.sometimes.bits & self._on:
            fixed = self._fixed(rows)
            factor = fixed.factor
            if rules.sometimes.bits & self._on:
                factor = factor * rules.sometimes.product(fixed.by, self._on)
        if varying:
            on = rules.factors.on(self._on)
            masks = rules.factors.masks(rows, self._query, self._state, on)
            factor = factor * np.where(masks, rules.own_factors, 1.0).prod(axis=0)
        return np.clip(factor, 1.0 / cap, cap)

    def factors_of(self, rows: IntArray) -> list[list[tuple[ActiveRule, float]]]:
        """Per row the rules that boost or bury it, in order, each with its factor."""
        rules = self._rules
        found = self._matching(rows, (rules.always, rules.sometimes), rules.factors)
        applied = rules.applied
        return [[applied[number] for number in own] for own in found]

    def badges_of(self, rows: IntArray) -> list[list[ActiveRule]]:
        """Per row the rules that give it a badge, in order."""
        rules = self._rules.rules
        found = self._matching(rows, (self._rules.marks,), self._rules.badges)
        return [[rules[number] for number in own] for own in found]

    def _matching(
        self, rows: IntArray, fixed: tuple[Section, ...], varying: Varying
    ) -> list[list[int]]:
        """Per row the numbers of the rules (of sections, of `varying`) that match it, in order."""
        numbers: list[list[int]] = [[] for _ in range(len(rows))]
        here = [section for section in fixed if section.bits & self._on]
        if here:
            by = self._fixed(rows).by
            for section in here:
                for place, number in section.matches(by, self._on):
                    numbers[place].append(number)
        if varying.any_on(self._on):
            masks = varying.masks(rows, self._query, self._state, varying.on(self._on))
            which, places = np.nonzero(masks)
            for rule, place in zip(which.tolist(), places.tolist(), strict=True):
                numbers[place].append(varying.rules[rule][0])
        for own in numbers:
            own.sort()
        return numbers

    def _let_through(self, rows: IntArray, on: BoolArray) -> BoolArray:
        varying = self._rules.filters
        masks = varying.masks(rows, self._query, self._state, on)
        kept = np.ones(len(rows), np.bool_)
        for place in np.flatnonzero(on).tolist():
            effect = varying.rules[place][1].effect
            only = isinstance(effect, FilterEffect) and effect.mode == "only"
            kept &= masks[place] if only else ~masks[place]
        return kept

    def _active(self, rules: Iterable[Numbered]) -> list[ActiveRule]:
        return [rule for number, rule in rules if self._on >> number & 1]

    def _fixed(self, rows: IntArray) -> Effects:
        if self._effects is not None:
            return self._effects(self._rules, rows, self._state, self._query.zone)
        return fixed_effects(self._rules, rows, self._state, self._query.zone)


def fixed_effects(
    rules: PlacementRules, rows: IntArray, state: State, zone: str | None = None
) -> Fixed:
    """Work out what the fixed rules of a placement do to rows, with the zone's prices and stock."""
    nobody = Query(now=0, count=1, zone=zone)
    keep = np.ones(len(rows), np.bool_)
    factor = np.ones(len(rows))
    by = np.zeros((len(rows), sum(part.width for part in rules.fixed)), np.uint8)
    for rule in rules.fixed_filters:
        keep &= rule.keeps(rows, nobody, state)
    for part in rules.fixed:
        for place, (_, rule) in enumerate(part.rules):
            matched = rule.matches(rows, nobody, state)
            if part is rules.always:
                factor[matched] *= rule.factor
            elif part is rules.cuts:
                matched = ~rule.keeps(rows, nobody, state)
            by[matched, part.start + place // 8] |= 128 >> place % 8
    return Fixed(keep, factor, by)


def _text(rule: ActiveRule) -> str:
    """What says which products it is about."""
    where = rule.where
    return where.expression.text if isinstance(where, ProductTest) else repr(where)


def _fixed(rule: ActiveRule) -> bool:
    """Whether the products it is about are the same for every request."""
    return rule.product_only or rule.where is None
