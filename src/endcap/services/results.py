"""Results of experiments: never more than the data and the plan carry."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.experiment import HOLD_OUT, METRICS, Experiment
from endcap.core.money import exponent, from_minor
from endcap.core.times import DAY, Clock, format_time
from endcap.core.trial import Preferences, TrialData, TrialQuestion, TrialUnits
from endcap.experiments.checks import guardrail, holm
from endcap.experiments.lift import Interval, Lift, compare
from endcap.experiments.moments import Estimate, Sums, cuped, mean, ratio
from endcap.experiments.preference import Preference, preference
from endcap.experiments.verdict import (
    Health,
    Verdict,
    decide,
    examine,
    examine_draft,
    prefer,
)

from .experiments import ExperimentService, NotAllowedNow

RATIOS = frozenset({"click_rate", "order_value"})
MONEY = frozenset({"revenue_per_visitor", "order_value"})
# Metrics whose value before the experiment is known, so that CUPED can take it out.
PREDICTED = frozenset({"revenue_per_visitor", "orders_per_visitor", "buying_visitors"})
SPLITS = 500


class TrialSource(Protocol):
    """Adds up what an experiment's visitors did; blocking."""

    def sums(self, question: TrialQuestion) -> TrialData:
        """Sums per variant and metric."""

    def preferences(self, question: TrialQuestion) -> Preferences:
        """How the visitors of an interleaving chose."""

    def units(self, question: TrialQuestion, metric: str) -> TrialUnits:
        """Numerator and denominator per visitor."""


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


class ResultService:
    """Reads results; `source` gives a shop's data."""

    def __init__(
        self,
        experiments: ExperimentService,
        source: Callable[[str], TrialSource],
        clock: Clock,
        currency: str,
    ) -> None:
        self._experiments = experiments
        self._source = source
        self._clock = clock
        self._currency = currency

    async def results(self, shop: str, name: str) -> Results:
        """The results as of now, or as of the stop. Raises NotFound or NotAllowedNow."""
        experiment = (await self._experiments.get(shop, name)).experiment
        question = self._question(name, experiment)
        source = self._source(shop)
        if experiment.type == "interleaving":
            chosen = await asyncio.to_thread(source.preferences, question)
            return make_preference(name, experiment, chosen, self._currency)
        data = await asyncio.to_thread(source.sums, question)
        return make_results(name, experiment, data, exponent(self._currency))

    async def split_check(self, shop: str, name: str, metric: str) -> SplitCheck:
        """An A/A test on the experiment's visitors. Raises as `results`, and InvalidInput."""
        if metric not in METRICS:
            problem = FieldProblem("/query/metric", "not_allowed", f"is none of {METRICS}")
            raise InvalidInput("the check cannot be made", [problem])
        experiment = (await self._experiments.get(shop, name)).experiment
        if experiment.type == "interleaving":
            raise NotAllowedNow("it interleaves: nobody meets one variant alone, so none is split")
        question = self._question(name, experiment)
        units = await asyncio.to_thread(self._source(shop).units, question, metric)
        return await asyncio.to_thread(split_check, metric, units, experiment.alpha)

    def _question(self, name: str, experiment: Experiment) -> TrialQuestion:
        if experiment.started_at is None:
            raise NotAllowedNow("it has not been started; there is nothing to read")
        return TrialQuestion(
            name=name,
            variants=tuple(variant.name for variant in experiment.variants),
            start=experiment.started_at,
            until=experiment.stopped_at or self._clock() + 1,
            days=experiment.plan.days,
            per_variant=experiment.plan.per_variant,
            exposure=experiment.exposure,
            currency=self._currency,
        )


def make_results(name: str, experiment: Experiment, data: TrialData, places: int) -> Results:
    """From sums to what may be said; money values are given in whole currency."""
    days = (data.until - (experiment.started_at or 0)) / DAY
    weights = {variant.name: variant.weight for variant in experiment.variants}
    own = {n: c for n, c in data.visitors.items() if n != HOLD_OUT}
    health = examine({n: own.get(n, 0) for n in weights}, weights, data.in_both)
    found = {metric: _lifts(experiment, data, metric) for metric in METRICS}
    primary = {n: lift for n, lift in found[experiment.primary][1].items() if lift is not None}
    return Results(
        name=name,
        state=experiment.state,
        health=health,
        verdict=decide(experiment, health, primary, days),
        metrics=_adjusted(experiment, found, places),
        days=round(days, 3),
        planned_days=experiment.plan.days,
        planned_per_variant=experiment.plan.per_variant,
        plan_reached=data.reached,
        until=format_time(data.until),
        as_of=format_time(data.as_of),
    )


def make_preference(name: str, experiment: Experiment, data: Preferences, currency: str) -> Results:
    """What may be said of an interleaving."""
    days = (data.until - (experiment.started_at or 0)) / DAY
    found = preference(*data.wins, data.ties, experiment.alpha)
    one, other = (variant.name for variant in experiment.variants)
    served = {team["variant"]: int(team["served"]) for team in data.teams}
    health = examine_draft(data.visitors, served)
    teams = [
        {k: v for k, v in team.items() if k != "revenue_minor"}
        | {"revenue": str(from_minor(int(team["revenue_minor"]), currency))}
        for team in data.teams
    ]
    return Results(
        name=name,
        state=experiment.state,
        health=health,
        verdict=prefer(experiment, health, found, (one, other), days),
        metrics=[],
        days=round(days, 3),
        planned_days=experiment.plan.days,
        planned_per_variant=experiment.plan.per_variant,
        plan_reached=data.reached,
        until=format_time(data.until),
        as_of=format_time(data.as_of),
        preference=found,
        teams=teams,
    )


Lifts = tuple[dict[str, Estimate], dict[str, Lift | None]]


def _lifts(experiment: Experiment, data: TrialData, metric: str) -> Lifts:
    names = [variant.name for variant in experiment.variants]
    sums = data.metrics.get(metric, {})
    control = sums.get(names[0], Sums(0))
    # All variants are compared with one control; each comparison gets its part of the risk.
    alpha = experiment.alpha / (len(names) - 1)
    size = 2 * experiment.plan.per_variant or control.n * 2 or 1
    estimates = {names[0]: _value(metric, control)}
    lifts: dict[str, Lift | None] = {names[0]: None}
    for name in names[1:]:
        variant = sums.get(name, Sums(0))
        estimates[name] = _value(metric, variant)
        pair = (estimates[names[0]], estimates[name])
        if metric in PREDICTED:
            pair = cuped(control, variant)
        lifts[name] = compare(*pair, alpha, size)
    return estimates, lifts


def _value(metric: str, sums: Sums) -> Estimate:
    return ratio(sums) if metric in RATIOS else mean(sums)


def _adjusted(experiment: Experiment, found: dict[str, Lifts], places: int) -> list[MetricResult]:
    corrected: dict[tuple[str, str], float] = {}
    for own in (True, False):
        family = [
            (metric, name, lift.p_value)
            for metric, (_, lifts) in found.items()
            for name, lift in lifts.items()
            if (metric == experiment.primary) is own and lift and lift.p_value is not None
        ]
        adjusted = holm([p for _, _, p in family])
        corrected |= {(m, n): p for (m, n, _), p in zip(family, adjusted, strict=True)}
    margins = {guard.metric: guard.margin for guard in experiment.guardrails}
    results = []
    for metric, (estimates, lifts) in found.items():
        scale = 10.0**-places if metric in MONEY else 1.0
        variants = [
            _variant(estimates[name], scale, name, lift, corrected.get((metric, name)))
            for name, lift in lifts.items()
        ]
        if metric in margins:
            variants = [
                msgspec.structs.replace(one, guardrail=guardrail(lift, margins[metric]))
                if (lift := lifts[one.variant])
                else one
                for one in variants
            ]
        method = "ratio" if metric in RATIOS else "cuped" if metric in PREDICTED else "mean"
        results.append(
            MetricResult(
                metric=metric,
                primary=metric == experiment.primary,
                method=method,
                variants=variants,
            )
        )
    return sorted(results, key=lambda one: not one.primary)


def _variant(
    estimate: Estimate, scale: float, name: str, lift: Lift | None, adjusted: float | None
) -> VariantResult:
    plain = VariantResult(variant=name, visitors=estimate.n, value=estimate.value * scale)
    if lift is None:
        return plain
    return msgspec.structs.replace(plain, p_adjusted=adjusted, **msgspec.structs.asdict(lift))


def split_check(metric: str, units: TrialUnits, alpha: float) -> SplitCheck:
    """Split the visitors at random many times and count how often a difference is found."""
    rng = np.random.default_rng(len(units.y))
    n = len(units.y)
    fixed = safe = 0
    for _ in range(SPLITS):
        half = rng.random(n) < 0.5
        one, other = (_sums(units, part) for part in (half, ~half))
        lift = compare(_value(metric, one), _value(metric, other), alpha, n)
        fixed += lift.fixed.clears_zero()
        safe += lift.safe.clears_zero()
    return SplitCheck(
        metric=metric,
        splits=SPLITS,
        alpha=alpha,
        false_rate=fixed / SPLITS,
        safe_false_rate=safe / SPLITS,
        visitors=n,
    )


def _sums(units: TrialUnits, part: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Sums:
    y, d = units.y[part], units.d[part]
    sums = (y.sum(), (y * y).sum(), d.sum(), (d * d).sum(), (y * d).sum())
    return Sums(len(y), *(float(one) for one in sums))
