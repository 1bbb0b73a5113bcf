"""What the steps of one request work on: picks, and what they share."""

from typing import NamedTuple

import msgspec

from endcap.catalog.arrays import IntArray

from .active_rule import ActiveRule
from .blend import Share
from .eligibility import Eligibility
from .merchandising import RequestRules
from .pins import Pinned
from .plan import Plan
from .query import Query, State


class Pick(NamedTuple):
    """One filled slot.

    `score` is `base`, the sum of the shares, times `factor`, what boosts and buries multiply to.
    `rung` is what filled it; `moved_by` the rule that pinned it or moved it for a quota.
    """

    row: int
    score: float
    rung: str
    shares: list[Share]
    base: float
    factor: float = 1.0
    moved_by: ActiveRule | None = None


class Step(NamedTuple):
    """The candidates after one step, for the trace."""

    name: str
    rows: IntArray


class Work(msgspec.Struct):
    """What the steps of one request share."""

    plan: Plan
    query: Query
    state: State
    rules: RequestRules
    allow: Eligibility
    explain: bool
    steps: list[Step] = []
    rungs: list[tuple[str, int]] = []


def placed(
    picks: list[Pick], pins: list[Pinned], candidates: dict[int, Pick], count: int
) -> list[Pick]:
    """The pins in their slots, the others around them in their order."""
    by_slot = {pin.slot: pin for pin in pins}
    rest = iter(picks)
    slate: list[Pick] = []
    for slot in range(count):
        pin = by_slot.get(slot)
        pick = _pin_pick(pin, candidates) if pin is not None else next(rest, None)
        if pick is not None:
            slate.append(pick)
    return slate


def _pin_pick(pin: Pinned, candidates: dict[int, Pick]) -> Pick:
    known = candidates.get(pin.row)
    if known is not None:
        return known._replace(moved_by=pin.rule)
    return Pick(pin.row, 0.0, "pin", [], 0.0, 1.0, pin.rule)
