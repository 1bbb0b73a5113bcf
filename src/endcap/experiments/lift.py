"""Lift: how much more, in proportion, a variant has than the control, with its intervals.

Lifts are compared as log ratios, whose sampling distribution is closer to normal than that of the
ratio itself; by the delta method var(log M) = var(M) / M^2.
"""

import math
from statistics import NormalDist

import msgspec

from .moments import Estimate

NORMAL = NormalDist()
# Visitors per variant before an always-valid interval is given: its guarantee is asymptotic.
BURN_IN = 100


class Interval(msgspec.Struct, frozen=True):
    """From `low` to `high`; a bound that is not known yet is None."""

    low: float | None
    high: float | None

    def clears_zero(self) -> bool:
        """Whether zero lies outside."""
        return (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


NOTHING_KNOWN = Interval(None, None)


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """A variant against the control.

    `lift` is relative (0.15: fifteen percent more). `fixed` holds at the planned end only, `safe`
    at any time however often one looks. `chance` is the probability that the variant is better
    given the data and no prior opinion; `p_value` is two-sided, for the fixed horizon.
    """

    lift: float | None
    fixed: Interval
    safe: Interval
    chance: float | None
    p_value: float | None


def compare(control: Estimate, variant: Estimate, alpha: float, planned: int) -> Lift:
    """The lift of `variant`; `planned` is the number of visitors planned in both together."""
    found = log_ratio(control, variant)
    if found is None:
        return Lift(lift=None, fixed=NOTHING_KNOWN, safe=NOTHING_KNOWN, chance=None, p_value=None)
    ratio, error = found
    n = control.n + variant.n
    z = NORMAL.inv_cdf(1 - alpha / 2)
    safe = NOTHING_KNOWN
    if min(control.n, variant.n) >= BURN_IN:
        safe = _around(ratio, error * safe_quantile(n, alpha, planned))
    return Lift(
        lift=math.expm1(ratio),
        fixed=_around(ratio, z * error),
        safe=safe,
        chance=NORMAL.cdf(ratio / error),
        p_value=2 * NORMAL.cdf(-abs(ratio) / error),
    )


def log_ratio(control: Estimate, variant: Estimate) -> tuple[float, float] | None:
    """The log of variant / control and its standard error; None while it cannot be said."""
    if control.value <= 0 or variant.value <= 0:
        return None
    error = math.sqrt(control.variance / control.value**2 + variant.variance / variant.value**2)
    return (math.log(variant.value / control.value), error) if error > 0 else None


def safe_quantile(n: int, alpha: float, planned: int) -> float:
    """How many standard errors an always-valid interval reaches to each side, with n visitors.

    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences" (arXiv 2103.06476), theorem 2.2:
    sqrt(2 (n r^2 + 1) / (n r^2) * log(sqrt(n r^2 + 1) / alpha)), with r set so that it is
    tightest at the planned size (their eq. on choosing rho).
    """
    best = -2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)
    scaled = n * best / max(planned, 1)
    return math.sqrt(2 * (scaled + 1) / scaled * math.log(math.sqrt(scaled + 1) / alpha))


def _around(ratio: float, reach: float) -> Interval:
    return Interval(_relative(ratio - reach), _relative(ratio + reach))


def _relative(log: float) -> float | None:
    return math.expm1(log) if log < 100 else None
