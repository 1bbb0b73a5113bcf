"""The scale page says what the committed inputs give; the simulation loses no request."""

from itertools import pairwise

import msgspec
import pytest

import scale
from scaling.arithmetic import limits, needs
from scaling.queueing import Farm, simulate


@pytest.fixture(scope="module")
def inputs():
    return msgspec.json.decode(scale.INPUTS.read_bytes())


def test_the_page_and_the_picture_are_what_the_inputs_give(inputs):
    text = scale.PAGE.read_text("utf-8")
    assert scale.page(text, scale.tables(inputs)) == text, "run ./run bench scale"
    assert scale.PICTURE.read_text("utf-8") == scale.drawing(inputs)
    assert len(scale.MARK.findall(text)) == 4


def farm(replicas, **other):
    fields = {
        "requests": 4_000,
        "service": 0.004,
        "spread": 0.5,
        "busy": 0.6,
        "limit": 64,
        "notice": 1.0,
    }
    return Farm(replicas, **(fields | other))


@pytest.mark.parametrize("replicas", [2, 3, 8])
@pytest.mark.parametrize("busy", [0.3, 0.9, 3.0])
def test_every_request_is_answered_or_refused(replicas, busy):
    r = simulate(farm(replicas, busy=busy), 5)
    assert r.arrived == r.answered + r.refused == 4_000
    assert r.at_most <= 64
    assert r.p50 <= r.p99


def test_the_same_seed_gives_the_same_and_another_does_not():
    assert simulate(farm(4), 1) == simulate(farm(4), 1)
    assert simulate(farm(4), 1) != simulate(farm(4), 2)


def test_the_middle_of_a_single_queue_is_near_what_theory_gives_for_its_mean():
    """M/G/1 by Pollaczek and Khinchine, on one of two replicas that never dies in the run."""
    import math

    s, busy, service = 0.5, 0.5, 0.004
    # Of two replicas one dies at a third; what comes then goes to one queue, with twice the load.
    r = simulate(farm(2, requests=60_000, busy=busy / 2, limit=10_000), 3)
    waiting = busy / (1 - busy) * (math.exp(s * s)) / 2 * service
    mean_bound = service + waiting
    assert r.refused == 0
    assert 0.5 * mean_bound < r.p50 / 1_000 < 1.5 * mean_bound


def test_overload_is_refused_and_more_replicas_refuse_less():
    refused = [simulate(farm(n, busy=1.8 * 2 / n), 5).refused for n in (2, 4, 8)]
    assert refused[0] > refused[1] >= refused[2] == 0


def test_needs_grow_with_size(inputs):
    f = scale.figures(inputs)
    made = [needs(f, 10**power, 1_000_000) for power in range(5, 10)]
    for small, large in pairwise(made):
        assert large.recommenders >= small.recommenders
        assert large.archive_gb == pytest.approx(10 * small.archive_gb)
        assert large.build_hours == pytest.approx(10 * small.build_hours)
    assert made[-1].log_share > 1  # what the page says breaks


def test_a_limit_is_where_a_need_becomes_one(inputs):
    f = scale.figures(inputs)
    ends = {one.what: one.events for one in limits(f)}
    log = ends["the log on one database server"]
    assert needs(f, round(log), 10**6).log_share == pytest.approx(f["busy"], rel=0.01)
    build = next(events for what, events in ends.items() if what.startswith("a build on 32"))
    assert needs(f, round(build), 10**6).build_hours == pytest.approx(f["build_hours"], rel=0.01)
