"""Which product follows which, counted by the kernels and by numpy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_kernels import log_of, products_of, snapshot_of

from endcap.build.parameters import Following
from endcap.build.stretches import placed, stretches
from transitions_by_array import follow

IDS = "abcdefgh"
KINDS = {
    "next": Following(),
    "near": Following(fade=0.8, niche=0.4, partners=3),
    "short": Following(reach=2, backward=0.0, recency=0.1, partners=2),
}


def shop_of(visits, folder, **parameters):
    """A snapshot of `visits`, one session each, oldest first."""
    acts = [
        ("view", f"v{number}", [product], {"session": f"s{number:04}", "days": -place / 1e6})
        for number, visit in enumerate(visits)
        for place, product in enumerate(visit)
    ]
    return snapshot_of(products_of(*IDS), log_of(*acts), folder, following=KINDS, **parameters)


def counted_by_hand(visits):
    visits = [visit for visit in visits if len(visit) > 1]
    # Sessions are in the order of their last click, which comes later the longer they are.
    visits.sort(key=len)
    items = np.array([IDS.index(p) for visit in visits for p in visit], np.int32)
    offsets = np.cumsum([0, *map(len, visits)])
    return follow(offsets, items, len(IDS), KINDS)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(IDS, max_size=14), max_size=8))
def test_the_kernels_count_as_numpy_does(tmp_path_factory, visits):
    tables = shop_of(visits, tmp_path_factory.mktemp("shop")).tables
    for name, expected in counted_by_hand(visits).items():
        found = tables[f"transitions.{name}"]
        for column in ("offsets", "partner", "times"):
            assert found[column].tolist() == expected[column].tolist(), (name, column)
        assert found["weight"].tolist() == pytest.approx(expected["weight"].tolist(), rel=1e-5)


def test_stretches_of_products_change_nothing(monkeypatch, tmp_path):
    rng = np.random.default_rng(3)
    visits = ["".join(IDS[i] for i in rng.integers(0, 8, 6)) for _ in range(40)]
    visitors = [("purchase", f"v{n % 9}", list(visit)) for n, visit in enumerate(visits)]
    whole = shop_of(visits, tmp_path / "whole")
    bought = snapshot_of(products_of(*IDS), log_of(*visitors), tmp_path / "bought")
    monkeypatch.setattr("endcap.build.stretches.ROWS", 7)
    assert len(stretches(np.ones(8), 56)) > 5
    parts = shop_of(visits, tmp_path / "parts")
    assert parts.manifest.files == whole.manifest.files
    in_parts = snapshot_of(products_of(*IDS), log_of(*visitors), tmp_path / "in_parts")
    assert in_parts.manifest.files == bought.manifest.files


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(0, 100))
def test_stretches_cover_every_product_once(sizes, rows):
    found = stretches(np.array(sizes), rows)
    assert [n for low, high in found for n in range(low, high)] == list(range(len(sizes)))


def test_the_newest_sessions_count(tmp_path):
    visits = ["ab", "acd", "acde"]
    found = shop_of(visits, tmp_path, max_sessions=2).tables
    expected = counted_by_hand(visits[1:])["next"]
    assert found["transitions.next"]["partner"].tolist() == expected["partner"].tolist()
    assert found["sessions"]["items"].tolist() == [IDS.index(p) for p in "acdacde"]


def test_rows_are_put_in_their_place_without_sorting():
    rows = {"a": np.array([4, 3, 4, 4]), "place": np.array([2, 1, 3, 1]), "b": np.arange(4)}
    assert placed(rows, 3, 6)["b"].tolist() == [1, 3, 0, 2]
