"""The statistics against scipy and tea-tasting, which compute them in their own way."""

import math

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from endcap.experiments.checks import (
    benjamini_hochberg,
    chi_square_tail,
    guardrail,
    holm,
    sample_ratio,
)
from endcap.experiments.lift import Interval, Lift, compare
from endcap.experiments.moments import Sums, cuped, mean, ratio
from endcap.experiments.planner import PlanQuestion, detectable, per_variant, planned
from endcap.experiments.preference import preference

N = 4_000


def sums_of(y, d=None, x=None):
    d = np.ones_like(y) if d is None else d
    x = np.zeros_like(y) if x is None else x
    return Sums(
        len(y), y.sum(), (y * y).sum(), d.sum(), (d * d).sum(), (y * d).sum(),
        x.sum(), (x * x).sum(), (x * y).sum(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    variant = np.repeat([0, 1], [N, N + 500])
    before = rng.gamma(2.0, 3.0, len(variant))
    orders = rng.poisson(1.0 + 0.1 * variant) + 1.0
    revenue = before * 3.0 + orders * rng.gamma(2.0, 2.0 + 0.1 * variant)
    clicked = (rng.random(len(variant)) < 0.06 + 0.01 * variant).astype(float)
    return {
        "variant": variant, "before": before, "orders": orders, "revenue": revenue,
        "clicked": clicked,
    }  # fmt: skip


def ours(data, estimate, column, d=None):
    parts = []
    for variant in (0, 1):
        at = data["variant"] == variant
        parts.append(estimate(sums_of(data[column][at], data[d][at] if d else None)))
    return compare(*parts, alpha=0.05, planned=2 * N)


def theirs(data, metric):
    result = tt.Experiment(m=metric).analyze(pa.table(data))
    return result["m"]


def close(lift, other):
    assert lift.lift == pytest.approx(other.rel_effect_size, rel=1e-6)
    assert lift.fixed.low == pytest.approx(other.rel_effect_size_ci_lower, rel=1e-3)
    assert lift.fixed.high == pytest.approx(other.rel_effect_size_ci_upper, rel=1e-3)


def test_means_as_tea_tasting_has_them(data):
    close(
        ours(data, mean, "revenue"),
        theirs(data, tt.Mean("revenue", use_t=False, equal_var=False)),
    )


def test_proportions_as_tea_tasting_has_them(data):
    close(
        ours(data, mean, "clicked"),
        theirs(data, tt.Mean("clicked", use_t=False, equal_var=False)),
    )


def test_ratios_as_tea_tasting_has_them(data):
    close(
        ours(data, ratio, "revenue", "orders"),
        theirs(data, tt.RatioOfMeans("revenue", "orders", use_t=False, equal_var=False)),
    )


def test_cuped_as_tea_tasting_has_it(data):
    parts = [
        sums_of(data["revenue"][data["variant"] == v], None, data["before"][data["variant"] == v])
        for v in (0, 1)
    ]
    lift = compare(*cuped(*parts), alpha=0.05, planned=2 * N)
    other = theirs(data, tt.Mean("revenue", "before", use_t=False, equal_var=False))
    assert lift.lift == pytest.approx(other.rel_effect_size, rel=0.02)
    plain = compare(mean(parts[0]), mean(parts[1]), alpha=0.05, planned=2 * N)
    width = lift.fixed.high - lift.fixed.low
    expected = other.rel_effect_size_ci_upper - other.rel_effect_size_ci_lower
    assert width == pytest.approx(expected, rel=0.02)
    assert width < 0.75 * (plain.fixed.high - plain.fixed.low)


def test_the_variance_of_a_mean_is_numpys(data):
    found = mean(sums_of(data["revenue"]))
    assert found.value == pytest.approx(data["revenue"].mean())
    assert found.error == pytest.approx(stats.sem(data["revenue"]))


@given(st.floats(0, 200), st.integers(1, 12))
def test_chi_square_tail_is_scipys(value, degrees):
    assert chi_square_tail(value, degrees) == pytest.approx(
        stats.chi2.sf(value, degrees), rel=1e-9, abs=1e-300
    )


@given(st.lists(st.integers(1, 100_000), min_size=2, max_size=5))
def test_sample_ratio_is_scipys_chi_square(counts):
    assert sample_ratio(counts, [1.0] * len(counts)) == pytest.approx(
        stats.chisquare(counts).pvalue, rel=1e-6, abs=1e-300
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(
        list(stats.false_discovery_control(p_values)), abs=1e-12
    )
    strict = holm(p_values)
    assert all(a >= p for a, p in zip(strict, p_values, strict=True))
    assert all(h >= b - 1e-12 for h, b in zip(strict, benjamini_hochberg(p_values), strict=True))


def test_holm_on_a_worked_case():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_53_47_split_is_flagged():
    assert sample_ratio([5_300, 4_700], [1, 1]) < 0.001
    assert sample_ratio([5_050, 4_950], [1, 1]) > 0.05
    assert sample_ratio([5_300, 4_700], [53, 47]) > 0.9


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_sign_test_is_scipys(one, other):
    expected = stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert preference(one, other, 3).p_value == pytest.approx(expected, rel=1e-9)


def test_planned_size_as_textbooks_have_it():
    # 16 p (1 - p) / d^2, the rule of thumb of van Belle, is within a few percent.
    question = PlanQuestion(baseline=0.06, effect=0.15)
    rule = 16 * 0.06 * 0.94 / (0.06 * 0.15) ** 2
    assert per_variant(question, 0.15) == pytest.approx(rule, rel=0.08)
    found = detectable(question, per_variant(question, 0.15))
    assert found == pytest.approx(0.15, rel=1e-3)
    answer = planned(PlanQuestion(baseline=0.06, effect=0.15, visitors_per_day=2_000))
    assert answer.days == math.ceil(answer.per_variant / 1_000)
    longer = planned(PlanQuestion(baseline=0.06, effect=0.15, method="sequential"))
    assert longer.per_variant > answer.per_variant


def test_planned_size_of_a_mean_is_tea_tastings(data):
    question = PlanQuestion(baseline=10.0, deviation=8.0, effect=0.1)
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert per_variant(question, 0.1) == math.ceil(z**2 * 2 * 64 / 1)


def test_nothing_is_said_without_data():
    empty = mean(Sums(0))
    assert compare(empty, empty, 0.05, 100).lift is None
    zero = mean(Sums(50))
    assert compare(zero, zero, 0.05, 100).safe == Interval(None, None)


def test_no_always_valid_interval_before_its_burn_in():
    few = mean(Sums(99, 20.0, 20.0))
    assert compare(few, few, 0.05, 1_000).safe == Interval(None, None)
    assert compare(few, few, 0.05, 1_000).fixed.low is not None


def test_guardrails():
    def lift(low, high):
        return Lift(lift=0.0, fixed=Interval(low, high), safe=Interval(low, high),
                    chance=0.5, p_value=1.0)  # fmt: skip

    assert guardrail(lift(-0.01, 0.02), 0.02) == "ok"
    assert guardrail(lift(-0.05, 0.02), 0.02) == "unclear"
    assert guardrail(lift(-0.05, -0.001), 0.02) == "harmed"
