"""Where the request path gets its rules from."""

from typing import Protocol

from endcap.recommend.merchandising import NO_RULES, PlacementRules


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
