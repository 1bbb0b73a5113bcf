"""From sums per variant to lifts, for one metric at a time."""

from collections.abc import Sequence

import msgspec

from endcap.core.experiment import Experiment
from endcap.core.times import format_time
from endcap.experiments.checks import holm
from endcap.experiments.lift import Lift, compare
from endcap.experiments.moments import Estimate, Sums, cuped, mean, ratio

from .result_forms import Breakdown, Part, VariantResult

RATIOS = frozenset({"click_rate", "order_value"})
MONEY = frozenset({"revenue_per_visitor", "order_value"})
# Metrics whose value before the experiment is known, so that CUPED can take it out.
PREDICTED = frozenset({"revenue_per_visitor", "orders_per_visitor", "buying_visitors"})
BY = ("device", "zone", "segment", "before")
MAX_PARTS = 12
Lifts = tuple[dict[str, Estimate], dict[str, Lift | None]]


def lifts_of(experiment: Experiment, sums: dict[str, Sums], metric: str) -> Lifts:
    """Each variant's value, and its lift over the control (None for the control itself)."""
    names = [variant.name for variant in experiment.variants]
    control = sums.get(names[0], Sums(0))
    # All variants are compared with one control; each comparison gets its part of the risk.
    alpha = experiment.alpha / (len(names) - 1)
    size = 2 * experiment.plan.per_variant or control.n * 2 or 1
    estimates = {names[0]: value_of(metric, control)}
    lifts: dict[str, Lift | None] = {names[0]: None}
    for name in names[1:]:
        variant = sums.get(name, Sums(0))
        estimates[name] = value_of(metric, variant)
        pair = (estimates[names[0]], estimates[name])
        if metric in PREDICTED:
            pair = cuped(control, variant)
        lifts[name] = compare(*pair, alpha, size)
    return estimates, lifts


def value_of(metric: str, sums: Sums) -> Estimate:
    """The metric's value with its variance."""
    return ratio(sums) if metric in RATIOS else mean(sums)


def variant_result(
    estimate: Estimate, scale: float, name: str, lift: Lift | None, adjusted: float | None
) -> VariantResult:
    """A variant as the answer has it."""
    plain = VariantResult(variant=name, visitors=estimate.n, value=estimate.value * scale)
    if lift is None:
        return plain
    return msgspec.structs.replace(plain, p_adjusted=adjusted, **msgspec.structs.asdict(lift))


def variants_of(
    experiment: Experiment, sums: dict[str, Sums], metric: str, places: int
) -> list[VariantResult]:
    """All variants of one metric, the control first; nothing is corrected for being many."""
    scale = 10.0**-places if metric in MONEY else 1.0
    estimates, lifts = lifts_of(experiment, sums, metric)
    return [variant_result(estimates[n], scale, n, lift, None) for n, lift in lifts.items()]


def make_breakdown(
    experiment: Experiment,
    asked: tuple[str, str, str],
    parts: Sequence[tuple[str, dict[str, Sums]]],
    places: int,
    at: int,
) -> Breakdown:
    """Name, metric and kind with the largest parts; p-values corrected over all of them."""
    name, metric, by = asked
    made = [
        Part(part, variants_of(experiment, sums, metric, places))
        for part, sums in parts[:MAX_PARTS]
    ]
    every = [one for part in made for one in part.variants if one.p_value is not None]
    adjusted = iter(holm([one.p_value or 0.0 for one in every]))
    corrected = [
        Part(
            part.part,
            [
                one if one.p_value is None
                else msgspec.structs.replace(one, p_adjusted=next(adjusted))
                for one in part.variants
            ],
        )
        for part in made
    ]  # fmt: skip
    return Breakdown(name, metric, by, corrected, len(parts), format_time(at))
