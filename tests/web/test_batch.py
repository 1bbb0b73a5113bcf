"""Slates for a batch of visitors in one call."""

import pytest


def test_a_thousand_visitors_get_their_slates_in_order(door):
    requests = [{"placement": "home", "visitor": f"batch-{n}", "count": 2} for n in range(1_000)]
    slates = door.post("/v1/recommendations", {"requests": requests}).json()["slates"]
    assert len(slates) == 1_000
    assert len({slate["token"] for slate in slates}) == 1_000
    shown = [item["id"] for item in slates[0]["items"]]
    assert len(shown) == 2
    # Strangers are all shown the same, also with `distinct`, which counts per visitor.
    assert all([item["id"] for item in slate["items"]] == shown for slate in slates)


@pytest.mark.parametrize("many", [0, 1_001])
def test_none_and_too_many_are_refused(door, many):
    answer = door.post("/v1/recommendations", {"requests": [{"placement": "home"}] * many})
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/requests"
