"""Before the start: how many visitors, how many days, which effect can be found."""

import math

import msgspec

from .lift import NORMAL, safe_quantile


class PlanQuestion(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is known before.

    `baseline` is the control's value of the metric; `deviation` its standard deviation per visitor
    (left out, the metric is a proportion). `effect` is the relative lift to be found, e.g. 0.15.
    `visitors_per_day` come to the placements; `method` is `fixed` or `sequential`.
    """

    baseline: float
    effect: float = 0.1
    deviation: float | None = None
    visitors_per_day: float = 1_000.0
    variants: int = 2
    alpha: float = 0.05
    power: float = 0.8
    method: str = "fixed"
    days: int | None = None


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Size and time; `detectable_effect` is what `days` (or the asked-for days) can find."""

    per_variant: int
    days: int
    detectable_effect: float | None
    method: str
    advice: str


def planned(question: PlanQuestion) -> PlanAnswer:
    """Answer the question."""
    size = per_variant(question, question.effect)
    daily = question.visitors_per_day / question.variants
    days = max(1, math.ceil(size / daily))
    horizon = question.days or days
    return PlanAnswer(
        per_variant=size,
        days=days,
        detectable_effect=detectable(question, horizon * daily),
        method=question.method,
        advice=_advice(days),
    )


def per_variant(question: PlanQuestion, effect: float) -> int:
    """Visitors per variant to find a relative `effect` with the power asked for.

    n = (z_alpha + z_power)^2 (var A + var B) / (A - B)^2; van Belle, "Statistical Rules of Thumb"
    (2008), ch. 2. For always-valid intervals z_alpha is their reach at the planned size, so the
    power is a lower bound: an early crossing counts too.
    """
    p = question.baseline
    other = p * (1 + effect)
    if question.deviation is None:
        spread = p * (1 - p) + other * (1 - other)
    else:
        spread = 2 * question.deviation**2
    z = NORMAL.inv_cdf(1 - question.alpha / 2)
    if question.method == "sequential":
        z = safe_quantile(1, question.alpha, 1)
    z += NORMAL.inv_cdf(question.power)
    return math.ceil(z**2 * spread / (p - other) ** 2)


def detectable(question: PlanQuestion, size: float) -> float | None:
    """The smallest relative effect that `size` visitors per variant can find; None above 10."""
    low, high = 1e-6, 10.0
    if question.deviation is None:
        high = min(high, 1 / question.baseline - 1)
    if high <= low or per_variant(question, high) > size:
        return None
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if per_variant(question, middle) <= size else (middle, high)
    return high


def _advice(days: int) -> str:
    if days > 56:
        return (
            "This takes too long to be trusted. Test a bigger change, take a metric that more "
            "visitors reach (clicks before purchases), or interleave."
        )
    if days < 7:
        return "Run for at least a whole week all the same: days of the week differ."
    return "Run for whole weeks, and do not stop early unless the always-valid interval says so."
