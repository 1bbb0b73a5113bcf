"""Power cuts: nothing acknowledged is lost, and a careless setting is caught losing."""

from tracing import cut_power


def test_nothing_acknowledged_is_lost_when_the_power_goes(tmp_path):
    result = cut_power(tmp_path, batches=60, cuts=120)
    assert result.problems == []
    assert (result.lost, result.corrupt) == (0, 0)
    assert result.early_acks == 0
    assert result.cuts == 120
    assert result.acked == 300
    assert result.looked_for > 10_000


def test_the_negative_control_loses(tmp_path):
    result = cut_power(tmp_path, batches=40, cuts=40, synchronous="NORMAL")
    assert result.lost > 0
    assert result.corrupt == 0
    assert result.early_acks > 30
