"""Results of experiments: never more than the data and the plan carry."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.experiment import HOLD_OUT, METRICS, Experiment
from endcap.core.money import exponent
from endcap.core.times import DAY, Clock, format_time
from endcap.core.trial import Preferences, TrialData, TrialQuestion, TrialUnits
from endcap.experiments.checks import guardrail, holm
from endcap.experiments.lift import compare
from endcap.experiments.moments import Sums
from endcap.experiments.verdict import (
    decide,
    examine,
)

from .experiments import ExperimentService, NotAllowedNow
from .interleaved_results import make_preference
from .lifts import (
    BY,
    MONEY,
    PREDICTED,
    RATIOS,
    Lifts,
    lifts_of,
    make_breakdown,
    value_of,
    variant_result,
    variants_of,
)
from .result_forms import Breakdown, Course, MetricResult, Point, Results, SplitCheck

SPLITS = 500


class TrialSource(Protocol):
    """Adds up what an experiment's visitors did; blocking."""

    def sums(self, question: TrialQuestion) -> TrialData:
        """Sums per variant and metric."""

    def course(
        self, question: TrialQuestion, metric: str
    ) -> tuple[list[tuple[str, dict[str, Sums]]], int]:
        """A metric's sums per variant at the end of each day, and as of when."""

    def parts(
        self, question: TrialQuestion, metric: str, kind: str
    ) -> tuple[list[tuple[str, dict[str, Sums]]], int]:
        """A metric's sums per variant for each kind of visitors, and as of when."""

    def preferences(self, question: TrialQuestion) -> Preferences:
        """How the visitors of an interleaving chose."""

    def units(self, question: TrialQuestion, metric: str) -> TrialUnits:
        """Numerator and denominator per visitor."""


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

    async def course(self, shop: str, name: str, metric: str) -> Course:
        """A metric's lift at the end of each day. Raises as `results`, and InvalidInput."""
        experiment, question = await self._parted(shop, name, metric)
        days, at = await asyncio.to_thread(self._source(shop).course, question, metric)
        places = exponent(self._currency)
        points = [Point(day, variants_of(experiment, sums, metric, places)) for day, sums in days]
        return Course(name, metric, points, format_time(at))

    async def breakdown(self, shop: str, name: str, metric: str, by: str) -> Breakdown:
        """A metric's lift per kind of visitors. Raises as `results`, and InvalidInput."""
        if by not in BY:
            problem = FieldProblem("/query/by", "not_allowed", f"is none of {', '.join(BY)}")
            raise InvalidInput("it cannot be broken down so", [problem])
        experiment, question = await self._parted(shop, name, metric)
        parts, at = await asyncio.to_thread(self._source(shop).parts, question, metric, by)
        return make_breakdown(experiment, (name, metric, by), parts, exponent(self._currency), at)

    async def split_check(self, shop: str, name: str, metric: str) -> SplitCheck:
        """An A/A test on the experiment's visitors. Raises as `results`, and InvalidInput."""
        experiment, question = await self._parted(shop, name, metric)
        units = await asyncio.to_thread(self._source(shop).units, question, metric)
        return await asyncio.to_thread(split_check, metric, units, experiment.alpha)

    async def _parted(self, shop: str, name: str, metric: str) -> tuple[Experiment, TrialQuestion]:
        if metric not in METRICS:
            problem = FieldProblem("/query/metric", "not_allowed", f"is none of {METRICS}")
            raise InvalidInput("the results cannot be parted", [problem])
        experiment = (await self._experiments.get(shop, name)).experiment
        if experiment.type == "interleaving":
            raise NotAllowedNow("it interleaves: nobody meets one variant alone, so none is split")
        return experiment, self._question(name, experiment)

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
    sums = data.metrics
    found = {m: lifts_of(experiment, sums.get(m, {}), m) for m in METRICS}
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
            variant_result(estimates[name], scale, name, lift, corrected.get((metric, name)))
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


def split_check(metric: str, units: TrialUnits, alpha: float) -> SplitCheck:
    """Split the visitors at random many times and count how often a difference is found."""
    rng = np.random.default_rng(len(units.y))
    n = len(units.y)
    fixed = safe = 0
    for _ in range(SPLITS):
        half = rng.random(n) < 0.5
        one, other = (_sums(units, part) for part in (half, ~half))
        lift = compare(value_of(metric, one), value_of(metric, other), alpha, n)
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
