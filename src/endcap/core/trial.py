"""What is asked and answered of an experiment's data."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class TrialQuestion(NamedTuple):
    """Which visitors: those who met the experiment from `start` on and before `until` (UTC ms)."""

    name: str
    variants: tuple[str, ...]
    start: int
    until: int
    days: int
    per_variant: int
    exposure: str
    currency: str


class TrialData(NamedTuple):
    """Visitors and sums per variant; `until` is where the data ends, `reached` whether by plan."""

    visitors: dict[str, int]
    in_both: float
    metrics: dict[str, dict[str, Any]]
    until: int
    reached: bool
    as_of: int


class Preferences(NamedTuple):
    """How visitors of an interleaving chose: wins of each team, ties, and what each team did.

    `teams` has a row per variant; `visitors` are those who met the experiment.
    """

    wins: tuple[int, int]
    ties: int
    teams: list[dict[str, Any]]
    visitors: int
    until: int
    reached: bool
    as_of: int


class PartSums(NamedTuple):
    """One kind of visitors with a row of sums per variant."""

    part: str
    rows: list[tuple[Any, ...]]


class TrialUnits(NamedTuple):
    """A metric's numerator and denominator per visitor, in an order that says nothing."""

    y: npt.NDArray[np.float64]
    d: npt.NDArray[np.float64]
