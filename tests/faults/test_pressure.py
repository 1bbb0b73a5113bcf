"""Overload, slow clients, events sent three times: the short forms, with their counts."""

import pytest

from pressing import KINDS, dawdle, overload, send_thrice


def test_an_overloaded_server_refuses_in_order_and_forgets_nothing(tmp_path):
    r = overload(tmp_path, seconds=3, clients=160, most=16)
    assert r.odd == []
    assert r.taken >= 100
    assert r.refused >= 500
    assert r.counted == r.refused
    assert r.acked >= 20
    assert r.lost == 0
    assert (r.health >= 4, r.unhealthy) == (True, 0)
    assert r.after >= 10
    assert r.refused_after == 0


def test_without_the_limit_nothing_is_refused(tmp_path):
    """The negative control: what is refused above is refused by the limit."""
    r = overload(tmp_path, seconds=1, clients=40, most=1_000)
    assert (r.odd, r.refused) == ([], 0)
    assert r.taken >= 50


def test_slow_clients_are_cut_off_and_take_nothing_from_others(tmp_path):
    r = dawdle(tmp_path, each=20, patience=1.0)
    assert r.slow == r.freed == 20 * len(KINDS)
    assert r.said >= 20  # half a head or body is told so, a silent connection is not
    assert r.asked == r.answered > 100
    assert r.files_after <= r.files_before + 2


@pytest.mark.parametrize("replicas", [1, 3])
def test_what_is_sent_three_times_counts_once(servers, tmp_path, replicas):
    url = servers["postgresql"].create("thrice") if replicas == 3 else ""
    r = send_thrice(url, tmp_path, 2_000, kills=0, replicas=replicas, clients=4)
    assert (r.sent, r.accepted, r.duplicates) == (6_000, 2_000, 4_000)
    assert (r.stored, r.doubled, r.missing, r.twice) == (2_000, 0, 0, 0)
