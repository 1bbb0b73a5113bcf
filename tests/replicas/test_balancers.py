"""Three replicas behind the shipped HAProxy and nginx files: no request fails."""

import pytest

from balancing import Behind, freeze_one, kill_every, restart_each

KILLS = 3


@pytest.fixture(scope="module", params=["haproxy", "nginx"])
def behind(request, servers, tmp_path_factory):
    url = servers["postgresql"].create(f"behind_{request.param}")
    group = Behind(request.param, url, tmp_path_factory.mktemp("behind"))
    yield group
    group.close()


def check(result, calls):
    assert result.problems == []
    assert result.failed == 0
    assert result.gets >= calls
    assert result.posts >= calls
    assert result.lost == 0
    assert result.duplicated == 0
    assert result.acked == result.posts


def test_kill_9_under_load(behind):
    result = kill_every(behind, KILLS)
    assert result.kills == KILLS
    check(result, 100)


def test_a_rolling_restart(behind):
    if behind.balancer.kind == "nginx":
        pytest.skip("one balancer is enough here; `./run faults` restarts behind both")
    result = restart_each(behind)
    assert result.kills == 3
    check(result, 100)


def test_a_hung_replica_is_left_out(behind, capsys):
    result, ejected = freeze_one(behind)
    if behind.balancer.kind == "haproxy":
        with capsys.disabled():
            print(f"\nleft out after {ejected:.2f} s")
    check(result, 50)
