"""Published rules on the request path: which hold for a request, and what they do to candidates."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

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

from .query import Query, State

When = Callable[[Query, State], bool]
Where = Callable[[IntArray, Query, State], BoolArray]
Holds = Callable[[int], bool]


class ActiveRule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One published rule, compiled.

    `where` says which rows it is about (None: all), `when` and `holds` whether it is on (None:
    always; `holds` takes UTC milliseconds). `product_only` means that `where` reads nothing but
    the product. `about` is the rule in words.
    """

    name: str
    version: int
    effect: Effect
    priority: int = 0
    scope: int = 0
    about: str = ""
    when: When | None = None
    where: Where | None = None
    holds: Holds | None = None
    zones: frozenset[str] = frozenset()
    product_only: bool = False

    @property
    def always(self) -> bool:
        """Whether it is on for every request."""
        return self.when is None and self.holds is None and not self.zones

    @property
    def label(self) -> str:
        """Name and version, as removals and traces carry them."""
        return f"rule {self.name} v{self.version}"

    def applies(self, query: Query, state: State) -> bool:
        """Whether it is on for this request."""
        if self.zones and query.zone not in self.zones:
            return False
        if self.holds is not None and not self.holds(query.now):
            return False
        return self.when is None or self.when(query, state)

    def matches(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Which of the rows it is about."""
        if self.where is None:
            return np.ones(len(rows), np.bool_)
        return self.where(rows, query, state)

    def keeps(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Which rows a filter rule lets through."""
        matched = self.matches(rows, query, state)
        effect = self.effect
        assert isinstance(effect, FilterEffect)
        return matched if effect.mode == "only" else ~matched


def in_order(rules: Iterable[ActiveRule]) -> tuple[ActiveRule, ...]:
    """Higher priority first, then the more specific scope, then the newer version, then by name."""
    return tuple(sorted(rules, key=lambda r: (-r.priority, -r.scope, -r.version, r.name)))


class PlacementRules:
    """The rules of one placement, split by what can be worked out once for the whole catalogue."""

    def __init__(self, rules: Iterable[ActiveRule] = ()) -> None:
        self.rules = in_order(rules)
        fixed = [r for r in self.rules if r.always and (r.product_only or r.where is None)]
        self.fixed_filters = tuple(r for r in fixed if isinstance(r.effect, FilterEffect))
        self.fixed_factors = tuple(
            r for r in fixed if isinstance(r.effect, BoostEffect | BuryEffect)
        )
        done = {id(r) for r in (*self.fixed_filters, *self.fixed_factors)}
        self.others = tuple(r for r in self.rules if id(r) not in done)
        self.fixed_key = tuple(r.label for r in (*self.fixed_filters, *self.fixed_factors))


NO_RULES = PlacementRules()


class Fixed(NamedTuple):
    """What the fixed rules do to some rows.

    `keep` says what the filters let through, `factor` is the product of boosts and buries, and
    `by` [rows, bytes] has one bit per fixed factor rule that matches (as `np.packbits` has them).
    """

    keep: BoolArray
    factor: FloatArray
    by: npt.NDArray[np.uint8]


EffectsOf = Callable[[PlacementRules, IntArray, State, str | None], Fixed]


class RequestRules:
    """The rules that are on for one request."""

    def __init__(
        self, rules: PlacementRules, query: Query, state: State, effects: EffectsOf | None = None
    ) -> None:
        self._query = query
        self._state = state
        self._rules = rules
        self._effects = effects
        active = [rule for rule in rules.others if rule.applies(query, state)]
        self.filters = [r for r in active if isinstance(r.effect, FilterEffect)]
        self.factors = [r for r in active if isinstance(r.effect, BoostEffect | BuryEffect)]
        self.pins = [r for r in active if isinstance(r.effect, PinEffect)]
        self.quotas = [r for r in active if isinstance(r.effect, QuotaEffect)]
        self.badges = [r for r in active if isinstance(r.effect, BadgeEffect)]
        self.offers = [r for r in active if isinstance(r.effect, OfferEffect)]

    @property
    def active(self) -> tuple[ActiveRule, ...]:
        """All of them, in order."""
        on = {id(r) for group in self._groups() for r in group}
        return tuple(rule for rule in self._rules.rules if id(rule) in on)

    def keep(self, rows: IntArray, mask: BoolArray) -> BoolArray:
        """`mask` less what filter rules remove."""
        if self._rules.fixed_filters:
            mask &= self._fixed(rows).keep
        for rule in self.filters:
            mask &= rule.keeps(rows, self._query, self._state)
        return mask

    def removed_by(self, row: int) -> ActiveRule | None:
        """The first filter rule that removes the row."""
        one = np.array([row], np.int32)
        for rule in in_order((*self._rules.fixed_filters, *self.filters)):
            if not rule.keeps(one, self._query, self._state)[0]:
                return rule
        return None

    def factor(self, rows: IntArray, cap: float) -> FloatArray | None:
        """What scores are multiplied by; None when no rule boosts or buries."""
        if not self._rules.fixed_factors and not self.factors:
            return None
        factor = np.ones(len(rows))
        if self._rules.fixed_factors:
            factor *= self._fixed(rows).factor
        for rule in self.factors:
            matched = rule.matches(rows, self._query, self._state)
            factor[matched] *= _factor_of(rule)
        return np.clip(factor, 1.0 / cap, cap, out=factor)

    def factors_of(self, rows: IntArray) -> list[list[tuple[ActiveRule, float]]]:
        """Per row the rules that boost or bury it, in order, each with its factor."""
        found: list[list[tuple[ActiveRule, float]]] = [[] for _ in range(len(rows))]
        if not self._rules.fixed_factors and not self.factors:
            return found
        pairs: list[tuple[int, ActiveRule]] = []
        if self._rules.fixed_factors:
            bits = np.unpackbits(self._fixed(rows).by, axis=1)
            places, numbers = np.nonzero(bits)
            fixed = self._rules.fixed_factors
            pairs += [(p, fixed[n]) for p, n in zip(places.tolist(), numbers.tolist(), strict=True)]
        for rule in self.factors:
            matched = np.flatnonzero(rule.matches(rows, self._query, self._state))
            pairs += [(place, rule) for place in matched.tolist()]
        for place, rule in pairs:
            found[place].append((rule, _factor_of(rule)))
        return found

    def _fixed(self, rows: IntArray) -> Fixed:
        if self._effects is not None:
            return self._effects(self._rules, rows, self._state, self._query.zone)
        return fixed_effects(self._rules, rows, self._state, self._query.zone)

    def _groups(self) -> Sequence[Sequence[ActiveRule]]:
        return (
            self._rules.fixed_filters,
            self._rules.fixed_factors,
            self.filters,
            self.factors,
            self.pins,
            self.quotas,
            self.badges,
            self.offers,
        )


def fixed_effects(
    rules: PlacementRules, rows: IntArray, state: State, zone: str | None = None
) -> Fixed:
    """Work out what the fixed rules of a placement do to rows, with the zone's prices and stock."""
    nobody = Query(now=0, count=1, zone=zone)
    keep = np.ones(len(rows), np.bool_)
    factor = np.ones(len(rows))
    by = np.zeros((len(rows), (len(rules.fixed_factors) + 7) // 8), np.uint8)
    for rule in rules.fixed_filters:
        keep &= rule.keeps(rows, nobody, state)
    for number, rule in enumerate(rules.fixed_factors):
        matched = rule.matches(rows, nobody, state)
        factor[matched] *= _factor_of(rule)
        by[matched, number // 8] |= 128 >> number % 8
    return Fixed(keep, factor, by)


def _factor_of(rule: ActiveRule) -> float:
    effect = rule.effect
    assert isinstance(effect, BoostEffect | BuryEffect)
    return effect.factor
