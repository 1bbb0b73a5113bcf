"""Health checks and corrections: the sample ratio, many comparisons, guardrails."""

import math
from collections.abc import Sequence

from .lift import Lift

MISMATCH = 0.001
"""Below this p-value the split is not what was planned, and nothing may be concluded."""


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> float:
    """p-value of the chi-square test that visitors were split as the weights say.

    Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments" (KDD 2019).
    """
    total, weight = sum(counts), sum(weights)
    if not total or len(counts) < 2:
        return 1.0
    expected = [total * one / weight for one in weights]
    square = sum((seen - e) ** 2 / e for seen, e in zip(counts, expected, strict=True))
    return chi_square_tail(square, len(counts) - 1)


def chi_square_tail(value: float, degrees: int) -> float:
    """P(X > value) of a chi-square variable with whole degrees of freedom.

    By the recurrence Q(k + 2) = Q(k) + (value/2)^(k/2) exp(-value/2) / gamma(k/2 + 1), from
    Q(1) = erfc(sqrt(value/2)) and Q(2) = exp(-value/2) (Abramowitz and Stegun 26.4.4-26.4.8).
    """
    half = value / 2
    if half <= 0:
        return 1.0
    k = 1 if degrees % 2 else 2
    tail = math.erfc(math.sqrt(half)) if k == 1 else math.exp(-half)
    while k < degrees:
        tail += math.exp(k / 2 * math.log(half) - half - math.lgamma(k / 2 + 1))
        k += 2
    return min(1.0, tail)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that keep the chance of any false finding; Holm (1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that keep the share of false findings; Benjamini and Hochberg (1995)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    adjusted = [0.0] * len(p_values)
    lowest = 1.0
    for rank, place in enumerate(order):
        lowest = min(lowest, p_values[place] * len(p_values) / (len(p_values) - rank))
        adjusted[place] = lowest
    return adjusted


def guardrail(lift: Lift, margin: float) -> str:
    """`ok` when a fall beyond the margin is ruled out at any time, `harmed` when a fall is sure.

    A test of non-inferiority on the always-valid interval; between the two it is `unclear`.
    """
    if lift.safe.high is not None and lift.safe.high < 0:
        return "harmed"
    if lift.safe.low is not None and lift.safe.low > -margin:
        return "ok"
    return "unclear"
