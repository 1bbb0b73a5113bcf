"""Where the request path gets its rules from."""

from typing import Protocol

from endcap.core.event import VisitorState
from endcap.recommend.merchandising import NO_RULES, PlacementRules
from endcap.recommend.query import STRANGER, State, Traits


class RuleSource(Protocol):
    """Gives the published rules of a placement, compiled."""

    def for_placement(self, shop: str, placement: str) -> PlacementRules:
        """The rules that are published now."""

    async def as_of(self, shop: str, placement: str, at: int) -> PlacementRules:
        """The rules that were published at a time (UTC milliseconds)."""


class NoRules:
    """A shop without rules."""

    def for_placement(self, shop: str, placement: str) -> PlacementRules:
        """None at all."""
        return NO_RULES

    async def as_of(self, shop: str, placement: str, at: int) -> PlacementRules:
        """None at all."""
        return NO_RULES


class TraitSource(Protocol):
    """Gives what is known of a visitor as a whole, segments among it."""

    def traits(
        self, shop: str, visitor: str | None, known: VisitorState | None, state: State, now: int
    ) -> Traits:
        """Traits of a visitor (a pseudonym) at `now`; `known` is None for a stranger."""


class NoTraits:
    """A shop that keeps none."""

    def traits(
        self, shop: str, visitor: str | None, known: VisitorState | None, state: State, now: int
    ) -> Traits:
        """Those of a stranger."""
        return STRANGER
