"""Many simulated experiments: how often a wrong or a right verdict comes out."""

import numpy as np
import pytest

from endcap.core.experiment import Experiment, Planned, Variant
from endcap.experiments.checks import sample_ratio
from endcap.experiments.lift import compare
from endcap.experiments.moments import Sums, mean
from endcap.experiments.planner import PlanQuestion, per_variant
from endcap.experiments.verdict import decide, examine

RUNS = 1_000
DAYS = 14


def proportion(n, wins):
    return mean(Sums(int(n), float(wins), float(wins)))


def verdicts(rng, rates, visitors, runs):
    """For each run the first verdict that ends it, looking after every quarter day.

    `visitors` per variant come evenly over the days; the last look is the plan's end.
    """
    looks = DAYS * 4
    each = visitors // looks
    experiment = Experiment(
        placements=["p"],
        variants=[Variant(name="a"), Variant(name="b")],
        plan=Planned(per_variant=each * looks, days=DAYS),
    )
    wins = [rng.binomial(each, rate, (runs, looks)).cumsum(axis=1) for rate in rates]
    ends = []
    for run in range(runs):
        for look in range(looks):
            n = each * (look + 1)
            lift = compare(
                proportion(n, wins[0][run, look]),
                proportion(n, wins[1][run, look]),
                experiment.alpha,
                2 * experiment.plan.per_variant,
            )
            health = examine({"a": n, "b": n}, {"a": 1, "b": 1}, 0.0)
            verdict = decide(experiment, health, {"b": lift}, (look + 1) / 4)
            if verdict.status != "too_early":
                break
        ends.append(verdict)
    assert len(ends) == runs
    return ends


def share(ends, *statuses):
    return sum(end.status in statuses for end in ends) / len(ends)


def test_continuous_peeking_at_a_a_finds_few_false_winners():
    rng = np.random.default_rng(11)
    ends = verdicts(rng, (0.06, 0.06), 11_200, RUNS)
    false_wins = share(ends, "winner")
    assert 0 < false_wins <= 0.05
    assert share(ends, "too_early") == 0


def test_peeking_at_fixed_intervals_would_find_many():
    """The negative control: the same looks with the fixed interval are wrong far too often."""
    rng = np.random.default_rng(11)
    looks, each = DAYS * 4, 200
    wins = [rng.binomial(each, 0.06, (RUNS, looks)).cumsum(axis=1) for _ in range(2)]
    n = each * np.arange(1, looks + 1)
    p = [one / n for one in wins]
    z = (p[1] - p[0]) / np.sqrt((p[0] * (1 - p[0]) + p[1] * (1 - p[1])) / n)
    assert (np.abs(z) > 1.96).any(axis=1).mean() > 0.2


def test_always_valid_alone_keeps_its_promise_over_a_long_time():
    """Looks at 200 sizes up to ten times the planned one, both sides counted."""
    rng = np.random.default_rng(5)
    runs, step = 2_000, 560
    wins = [rng.binomial(step, 0.06, (runs, 200)).cumsum(axis=1) for _ in range(2)]
    crossed = np.zeros(runs, bool)
    for look in range(200):
        n = step * (look + 1)
        for run in np.flatnonzero(~crossed):
            pair = [proportion(n, one[run, look]) for one in wins]
            crossed[run] = compare(*pair, 0.05, 22_400).safe.clears_zero()
    assert crossed.mean() <= 0.05


@pytest.mark.parametrize("power", [0.8, 0.9])
def test_a_planted_lift_is_found_at_the_planned_power(power):
    question = PlanQuestion(baseline=0.06, effect=0.15, power=power)
    size = per_variant(question, 0.15)
    rng = np.random.default_rng(3)
    ends = verdicts(rng, (0.06, 0.06 * 1.15), size + 56, 400)
    found = share(ends, "winner")
    assert found >= power - 0.05
    assert share(ends, "harmful") <= 0.01


def test_revenue_with_a_heavy_tail_keeps_the_promise_too():
    """Nine in ten visitors spend nothing, the others log-normal amounts."""
    rng = np.random.default_rng(9)
    runs, looks, each = 500, 28, 400
    found = 0
    for _ in range(runs):
        spent = rng.lognormal(3, 1, (2, looks * each)) * (rng.random((2, looks * each)) < 0.1)
        total, square = spent.cumsum(axis=1), (spent**2).cumsum(axis=1)
        for look in range(looks):
            n = each * (look + 1)
            pair = [mean(Sums(n, total[v, n - 1], square[v, n - 1])) for v in (0, 1)]
            if compare(*pair, 0.05, 2 * looks * each).safe.clears_zero():
                found += 1
                break
    assert found / runs <= 0.05


def test_a_planted_mismatch_is_flagged_and_replaces_the_verdict():
    rng = np.random.default_rng(2)
    flagged = [
        sample_ratio([n, 10_000 - n], [1, 1]) < 0.001 for n in rng.binomial(10_000, 0.53, 500)
    ]
    assert np.mean(flagged) > 0.99
    fair = [sample_ratio([n, 10_000 - n], [1, 1]) < 0.001 for n in rng.binomial(10_000, 0.5, 5_000)]
    assert np.mean(fair) <= 0.003
    experiment = Experiment(placements=["p"], variants=[Variant(name="a"), Variant(name="b")])
    better = compare(proportion(5_300, 300), proportion(4_700, 600), 0.05, 10_000)
    health = examine({"a": 5_300, "b": 4_700}, {"a": 1, "b": 1}, 0.0)
    verdict = decide(experiment, health, {"b": better}, 20)
    assert verdict.status == "unhealthy"
    assert "5,300 / 4,700" in verdict.text
