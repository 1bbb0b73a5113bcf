"""One published rule, ready to run."""

from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.core.answer import Reason
from endcap.core.rule import BoostEffect, BuryEffect, Effect, FilterEffect

from .query import Query, State

When = Callable[[Query, State], bool]
Where = Callable[[IntArray, Query, State], BoolArray]
Holds = Callable[[int], bool]


class ActiveRule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One published rule, compiled.

    `where` says which rows it is about (None: all), `when` and `holds` whether it is on (None:
    always; `holds` takes UTC milliseconds). `product_only` means that `where` reads nothing but
    the product. `about` is the rule in words, `reasons` what products say of it, by code.
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
    reasons: dict[str, Reason] = msgspec.field(default_factory=dict)

    @property
    def always(self) -> bool:
        """Whether it is on for every request."""
        return self.when is None and self.holds is None and not self.zones

    @property
    def label(self) -> str:
        """Name and version, as removals and traces carry them."""
        return f"rule {self.name} v{self.version}"

    @property
    def factor(self) -> float:
        """What a rule that boosts or buries multiplies scores by."""
        effect = self.effect
        assert isinstance(effect, BoostEffect | BuryEffect)
        return effect.factor

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
