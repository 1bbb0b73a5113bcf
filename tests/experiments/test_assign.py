import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.experiment import HOLD_OUT, Experiment, RampStep, Target, Variant
from endcap.core.times import HOUR
from endcap.experiments.assign import Subject, assigned, free_slice, position
from endcap.experiments.checks import sample_ratio
from endcap.experiments.interleave import team_draft

START = 1_700_000_000_000


def running(**fields):
    given = {
        "placements": ["product"],
        "variants": [Variant(name="a"), Variant(name="b")],
        "salt": "s1",
        "state": "running",
        "started_at": START,
    }
    return Experiment(**given | fields)


def everybody(experiment, count=100_000, now=START, **about):
    return [assigned(experiment, Subject(f"v{n}", **about), now) for n in range(count)]


def test_the_split_is_as_the_weights_and_never_changes():
    experiment = running(variants=[Variant(name="a"), Variant(name="b", weight=3)])
    first = everybody(experiment)
    counts = [first.count("a"), first.count("b")]
    assert sum(counts) == 100_000
    assert sample_ratio(counts, [1, 3]) > 0.001
    assert everybody(experiment) == first


def test_another_process_assigns_the_same():
    code = (
        "from endcap.experiments.assign import position;"
        "print([position('variant:s1', f'v{n}') for n in range(50)])"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == str([position("variant:s1", f"v{n}") for n in range(50)])


def test_experiments_of_one_layer_exclude_each_other():
    one = running(share=0.4, slice_from=0.0)
    two = running(share=0.6, slice_from=0.4, salt="s2")
    met = list(zip(everybody(one, 20_000), everybody(two, 20_000), strict=True))
    assert all((a is None) != (b is None) for a, b in met)
    assert sum(a is not None for a, _ in met) == pytest.approx(8_000, rel=0.05)


def test_other_layers_are_independent():
    one, two = running(), running(layer="other", salt="s2")
    met = list(zip(everybody(one, 40_000), everybody(two, 40_000), strict=True))
    counts = [met.count((a, b)) for a in "ab" for b in "ab"]
    assert sample_ratio(counts, [1, 1, 1, 1]) > 0.001


def test_raising_traffic_moves_nobody():
    before = everybody(running(traffic=0.1), 20_000)
    after = everybody(running(traffic=0.5), 20_000)
    assert all(b is None or b == a for b, a in zip(before, after, strict=True))
    assert sum(b is not None for b in before) == pytest.approx(2_000, rel=0.1)


def test_a_ramp_raises_traffic_by_itself():
    experiment = running(traffic=0.05, ramp=[RampStep(hours=24, traffic=1.0)])
    early = everybody(experiment, 4_000)
    late = everybody(experiment, 4_000, START + 24 * HOUR)
    assert early.count(None) > 3_600
    assert late.count(None) == 0


def test_the_hold_out_is_the_same_for_every_experiment_of_the_layer():
    one, two = running(hold_out=0.1), running(hold_out=0.1, salt="s2")
    first, second = everybody(one, 20_000), everybody(two, 20_000)
    assert [m == HOLD_OUT for m in first] == [m == HOLD_OUT for m in second]
    assert first.count(HOLD_OUT) == pytest.approx(2_000, rel=0.1)


def test_targeting_and_state():
    only = running(target=Target(zones=["GB"], devices=["phone"], segments=["vip"]))
    vip = Subject("v", "GB", "phone", frozenset({"vip", "new"}))
    assert assigned(only, vip, START) in ("a", "b")
    assert assigned(only, vip._replace(zone="DE"), START) is None
    assert assigned(only, vip._replace(device=None), START) is None
    assert assigned(only, vip._replace(segments=frozenset()), START) is None
    assert assigned(running(state="draft"), vip, START) is None


def test_free_slices_fill_a_layer():
    taken = []
    for _ in range(10):
        taken.append((free_slice(taken, 0.1), 0.1))
    assert free_slice(taken, 0.1) is None
    del taken[3]
    assert free_slice(taken, 0.1) == pytest.approx(0.3)


SLATES = st.lists(st.sampled_from("abcdefghij"), max_size=8, unique=True)


@given(SLATES, SLATES, st.integers(1, 8), st.text(max_size=5))
def test_team_draft_is_fair_and_complete(one, other, count, seed):
    mixed = team_draft(one, other, count, seed)
    products = [slot.product for slot in mixed]
    assert len(set(products)) == len(products) == min(count, len(set(one) | set(other)))
    for team, slate in enumerate((one, other)):
        own = [s.product for s in mixed if s.team == team]
        assert own == [p for p in slate if p in own]
    if min(len(one), len(other)) >= count and not set(one) & set(other):
        assert abs(sum(1 if s.team else -1 for s in mixed)) <= 1
