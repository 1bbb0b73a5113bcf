"""What is said of an experiment: values, lifts, health and verdict."""

from typing import Any

import msgspec

from endcap.experiments.lift import Interval
from endcap.experiments.preference import Preference
from endcap.experiments.verdict import Health, Verdict


class VariantResult(msgspec.Struct, frozen=True, kw_only=True):
    """A variant's value of a metric and its lift over the control; the control has none.

    `p_adjusted` is corrected for all comparisons of the metric's kind (Holm): the primary metric's
    variants, or everything else.
    """

    variant: str
    visitors: int
    value: float
    lift: float | None = None
    fixed: Interval | None = None
    safe: Interval | None = None
    chance: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    guardrail: str | None = None


class MetricResult(msgspec.Struct, frozen=True, kw_only=True):
    """A metric with all variants, the control first; `method` is mean, ratio or cuped."""

    metric: str
    primary: bool
    method: str
    variants: list[VariantResult]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of an experiment. `until` is where the data ends.

    An interleaving has no metrics, but `preference` and what each team of its slates did.
    """

    name: str
    state: str
    health: Health
    verdict: Verdict
    metrics: list[MetricResult]
    days: float
    planned_days: int
    planned_per_variant: int
    plan_reached: bool
    until: str
    as_of: str
    preference: Preference | None = None
    teams: list[dict[str, Any]] = []


class SplitCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The experiment's own visitors split at random, many times: there is no difference to find.

    `false_rate` should be near `alpha`; far from it, the metric cannot be tested as it is.
    """

    metric: str
    splits: int
    alpha: float
    false_rate: float
    safe_false_rate: float
    visitors: int


class Point(msgspec.Struct, frozen=True):
    """All variants at the end of a day (UTC), the control first."""

    day: str
    variants: list[VariantResult]


class Course(msgspec.Struct, frozen=True):
    """A metric over the days of an experiment; the last point is that of the results.

    Who met two variants by now is left out of every day.
    """

    name: str
    metric: str
    points: list[Point]
    as_of: str


class Part(msgspec.Struct, frozen=True):
    """One kind of visitors with all variants, the control first."""

    part: str
    variants: list[VariantResult]


class Breakdown(msgspec.Struct, frozen=True):
    """A metric by kinds of visitors: exploratory, `p_adjusted` corrected over all shown (Holm).

    `kinds` is how many there are; the largest are in `parts`. A visitor may be in several segments.
    """

    name: str
    metric: str
    by: str
    parts: list[Part]
    kinds: int
    as_of: str
