"""Blending and ordering with few calls: the same rows and scores as the plain way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalog.arrays import FEW, absent
from endcap.recommend.blend import Blender, Listed
from endcap.recommend.pipeline import ordered
from endcap.recommend.stages import Found, Ranked
from shop_in_memory import product, shop

ROWS = st.lists(st.integers(0, 29), unique=True, max_size=30)


@given(st.lists(ROWS, max_size=5))
def test_every_row_stands_once_with_the_sum_of_its_parts(lists):
    listed = [
        Listed(
            None, Found(np.array(rows, np.int32), np.empty(0), {}), np.arange(1.0, len(rows) + 1)
        )
        for rows in lists
        if rows
    ]
    rows, scores = Blender().blend(listed, 30)
    wanted = {}
    for rows_of_one in lists:
        for place, row in enumerate(rows_of_one, 1):
            wanted[row] = wanted.get(row, 0.0) + place
    assert dict(zip(rows.tolist(), scores.tolist(), strict=True)) == wanted
    assert len(rows) == len(wanted)


STATE = shop([product(f"p{(n * 7) % 30:02d}", title="x") for n in range(30)])


@given(st.lists(st.integers(0, 3), min_size=0, max_size=30), st.integers(1, 12), st.randoms())
def test_ties_that_reach_the_slate_stand_by_id(values, count, chance):
    rows = list(range(len(values)))
    chance.shuffle(rows)
    ranked = Ranked(np.array(rows, np.int32), np.array(values, float))
    found = ordered(ranked, count, STATE)
    ids = STATE.columns.ids
    wanted = sorted(zip(values, rows, strict=True), key=lambda pair: (-pair[0], ids[pair[1]]))
    assert found.rows.tolist()[:count] == [row for _, row in wanted][:count]
    assert found.scores.tolist() == sorted(values, reverse=True)
    assert sorted(found.rows.tolist()) == sorted(rows)


@pytest.mark.parametrize("others", [0, 1, FEW, FEW + 1, 40])
def test_absent_is_what_isin_is_not(others):
    rows = np.arange(30, dtype=np.int32)[::-1]
    among = np.arange(0, 2 * others, 2, dtype=np.int32)
    assert np.array_equal(absent(rows, among), ~np.isin(rows, among))
