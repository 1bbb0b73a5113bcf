"""Sums over visitors, and what follows from them: means, variances, ratios, CUPED.

Every statistic of an experiment is computed from these sums, so that a database can do the adding.
"""

import math
from typing import NamedTuple


class Sums(NamedTuple):
    """Sums over the n visitors of one variant.

    `y` is the metric's numerator, `d` its denominator (1 for a plain mean), `x` the same metric
    before the experiment (0 when it is not used).
    """

    n: int
    y: float = 0.0
    yy: float = 0.0
    d: float = 0.0
    dd: float = 0.0
    yd: float = 0.0
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0


class Estimate(NamedTuple):
    """A variant's value of a metric, and the variance of that value (not of one visitor)."""

    n: int
    value: float
    variance: float

    @property
    def error(self) -> float:
        """Standard error of the value."""
        return math.sqrt(self.variance)


def covariance(n: int, both: float, one: float, other: float) -> float:
    """Sample covariance from the sum of products and the two sums."""
    return (both - one * other / n) / (n - 1) if n > 1 else 0.0


def mean(sums: Sums) -> Estimate:
    """The mean per visitor; a proportion is the mean of zeros and ones."""
    if not sums.n:
        return Estimate(0, 0.0, 0.0)
    variance = max(0.0, covariance(sums.n, sums.yy, sums.y, sums.y))
    return Estimate(sums.n, sums.y / sums.n, variance / sums.n)


def ratio(sums: Sums) -> Estimate:
    """Ratio of two sums, such as clicks per impression, with visitors as the unit.

    The delta method: var(Y/D) = (var Y - 2 R cov(Y, D) + R^2 var D) / (n D^2); Deng, Knoblich, Lu,
    "Applying the Delta Method in Metric Analytics" (KDD 2018), eq. 4.
    """
    n = sums.n
    if not n or sums.d <= 0:
        return Estimate(n, 0.0, 0.0)
    value = sums.y / sums.d
    var_y = covariance(n, sums.yy, sums.y, sums.y)
    var_d = covariance(n, sums.dd, sums.d, sums.d)
    cov = covariance(n, sums.yd, sums.y, sums.d)
    one = (var_y - 2 * value * cov + value**2 * var_d) / (sums.d / n) ** 2
    return Estimate(n, value, max(0.0, one) / n)


def cuped(control: Sums, variant: Sums) -> tuple[Estimate, Estimate]:
    """Both means, with what the time before the experiment predicts taken out.

    theta = cov(Y, X) / var(X) over both variants; Deng, Xu, Kohavi, Walker, "Improving the
    Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data" (WSDM 2013).
    """
    # Within-variant covariances, so that a difference between the variants is not taken out.
    cov = sum(s.n * covariance(s.n, s.xy, s.x, s.y) for s in (control, variant))
    var = sum(s.n * covariance(s.n, s.xx, s.x, s.x) for s in (control, variant))
    theta = cov / var if var > 0 else 0.0
    total = control.n + variant.n
    grand = (control.x + variant.x) / total if total else 0.0
    return _adjusted(control, theta, grand), _adjusted(variant, theta, grand)


def _adjusted(sums: Sums, theta: float, grand: float) -> Estimate:
    plain = mean(sums)
    if not sums.n:
        return plain
    var_x = covariance(sums.n, sums.xx, sums.x, sums.x)
    cov = covariance(sums.n, sums.xy, sums.x, sums.y)
    variance = plain.variance + (theta**2 * var_x - 2 * theta * cov) / sums.n
    return Estimate(sums.n, plain.value - theta * (sums.x / sums.n - grand), max(0.0, variance))
