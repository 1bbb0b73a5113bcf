"""Which variant a request meets."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from endcap.core.experiment import INTERLEAVED
from endcap.experiments.assign import Subject
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.plan import Plan


class Trial(NamedTuple):
    """A variant met: its plan, and the rules that do not hold for it.

    In an interleaving it is the control, `other` the variant that the slate is mixed with, and
    `salt` what the coins are tossed with.
    """

    experiment: str
    variant: str
    plan: Plan
    rules_off: frozenset[str] = frozenset()
    other: "Trial | None" = None
    salt: str = ""

    def named(self) -> dict[str, str]:
        """As the answer names it."""
        variant = self.variant if self.other is None else INTERLEAVED
        return {"id": self.experiment, "variant": variant}

    def rules(self, published: PlacementRules) -> PlacementRules:
        """The rules that hold for this variant."""
        if not self.rules_off:
            return published
        return PlacementRules(r for r in published.rules if r.name not in self.rules_off)


def together(trials: Sequence[Trial], salt: str) -> Trial:
    """One trial; of two, the first with the other to mix its slate with."""
    return trials[0] if len(trials) == 1 else trials[0]._replace(other=trials[1], salt=salt)


class TrialSource(Protocol):
    """Gives the variant of a running experiment that a visitor meets on a placement."""

    def trial(self, shop: str, plan: Plan, subject: Subject, now: int) -> Trial | None:
        """The variant, or None for who takes part in nothing here."""

    async def again(self, shop: str, plan: Plan, experiment: str, variant: str) -> Trial | None:
        """A variant as it was met on a version of a placement; None when it is not known."""


class NoTrials:
    """A shop without experiments."""

    def trial(self, shop: str, plan: Plan, subject: Subject, now: int) -> Trial | None:
        """None at all."""
        return None

    async def again(self, shop: str, plan: Plan, experiment: str, variant: str) -> Trial | None:
        """None at all."""
        return None
