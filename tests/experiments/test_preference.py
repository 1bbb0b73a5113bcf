"""The tests behind an interleaving: against scipy, and simulated."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln

from endcap.core.experiment import Experiment, Variant
from endcap.experiments.interleave import team_draft
from endcap.experiments.preference import PRIOR, log_evidence, preference, safe_interval, wilson
from endcap.experiments.verdict import examine_draft, prefer


@pytest.mark.parametrize(("wins", "n"), [(0, 1), (3, 10), (41, 100), (260, 500)])
def test_the_interval_of_a_share_is_wilsons(wins, n):
    expected = stats.binomtest(wins, n).proportion_ci(0.95, "wilson")
    found = wilson(wins, n, 0.05)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (4, 30), (40, 60), (500, 700)])
def test_the_safe_interval_holds_what_the_evidence_does_not_rule_out(one, other):
    found = safe_interval(one, other, 0.05)
    if not one + other:
        assert found.low is None
        return
    limit = np.log(20)
    assert found.low <= other / (one + other) <= found.high
    for edge, outward in ((found.low, -1e-6), (found.high, 1e-6)):
        if 1e-8 < edge < 1 - 1e-8:
            assert log_evidence(one, other, edge - outward) < limit
            assert log_evidence(one, other, edge + outward) > limit
    assert found.low <= wilson(other, one + other, 0.05).low


def test_looking_after_every_visitor_finds_nothing_false():
    """2,000 runs of 1,000 visitors with a fair coin, looked at after each of them."""
    rng = np.random.default_rng(7)
    wins = (rng.random((2_000, 1_000)) < 0.5).cumsum(axis=1)
    n = np.arange(1, 1_001)
    evidence = betaln(wins + PRIOR, n - wins + PRIOR) - betaln(PRIOR, PRIOR) + n * np.log(2)
    assert evidence[3, 99] == pytest.approx(log_evidence(100 - wins[3, 99], wins[3, 99], 0.5))
    found = (evidence > np.log(20)).any(axis=1).mean()
    fixed = (np.abs(2 * wins - n) > 1.96 * np.sqrt(n)).any(axis=1).mean()
    assert found <= 0.05
    assert fixed > 0.2  # the same looks with a test that is meant for one


@pytest.mark.parametrize(("share", "found"), [(0.5, (0, 0.05)), (0.6, (0.85, 1))])
def test_shoppers_of_mixed_slates(share, found):
    """Whole runs: slates drafted, one or more clicks by taste, wins counted, verdict read daily."""
    rng = np.random.default_rng(3)
    experiment = Experiment(placements=["p"], variants=[Variant(name="a"), Variant(name="b")])
    winners = []
    for run in range(60):
        wins, verdict = [0, 0, 0], None
        for visitor in range(450):
            slate = team_draft(list("stuvwx"), list("ghijkl"), 6, f"{run}:{visitor}")
            taste = np.array([share if d.team else 1 - share for d in slate])
            taste *= 0.8 ** np.arange(6)
            clicks = rng.choice(6, size=rng.integers(1, 3), replace=False, p=taste / taste.sum())
            lead = sum(1 if slate[c].team else -1 for c in clicks)
            wins[2 if not lead else int(lead > 0)] += 1
            if visitor % 50 == 49:
                health = examine_draft(visitor, {"a": 50, "b": 50})
                chosen = preference(*wins)
                verdict = verdict or _said(prefer(experiment, health, chosen, ("a", "b"), 3.0))
        winners.append(verdict)
    assert found[0] <= np.mean([v is not None for v in winners]) <= found[1]
    assert "harmful" not in winners or share == 0.5


def _said(verdict):
    return verdict.status if verdict.status in ("winner", "harmful") else None


def test_a_team_that_shows_hardly_anything_takes_the_verdicts_place():
    experiment = Experiment(placements=["p"], variants=[Variant(name="a"), Variant(name="b")])
    health = examine_draft(100, {"a": 990, "b": 10})
    verdict = prefer(experiment, health, preference(5, 95, 0), ("a", "b"), 30.0)
    assert verdict.status == "unhealthy" and "b has only 1%" in verdict.text
