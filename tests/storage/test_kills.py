"""40 SIGKILLs of the real server during concurrent ingest; bench/kill.py runs more of them."""

import pytest

from kills import kill_while_writing


@pytest.mark.slow
def test_40_kills_lose_and_double_nothing(tmp_path):
    result = kill_while_writing(tmp_path, kills=40)
    assert result.problems == []
    assert result.kills >= 40
    assert result.acked >= 10_000
    assert result.resent >= 40  # the kills did hit requests
    assert (result.lost, result.duplicated, result.phantom, result.twice) == (0, 0, 0, 0)
    assert result.integrity == "ok"
