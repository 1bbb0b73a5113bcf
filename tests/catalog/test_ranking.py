import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalog.ranking import best_first, levelled

scores = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30)


@given(scores)
def test_levels_are_near_and_in_order(values):
    level = levelled(np.array(values))
    assert np.all(np.abs(level / values - 1) <= 2**-17)
    assert np.all(np.diff(level[np.argsort(values)]) >= 0)


@given(scores, st.floats(-1e-9, 1e-9))
def test_a_level_stays_a_level(values, noise):
    level = levelled(np.array(values))
    assert levelled(level * (1 + noise)).tolist() == level.tolist()
    assert levelled(np.array([0.0, np.inf])).tolist() == [0.0, np.inf]


@given(st.lists(st.integers(0, 3), max_size=30), st.randoms(use_true_random=False))
def test_best_first_is_by_score_then_by_id_whatever_the_rows(values, chance):
    ids = [f"p{n}" for n in range(len(values))]
    chance.shuffle(ids)
    rows = np.arange(len(values), dtype=np.int32)
    order = best_first(rows, np.array(values, np.float64), ids)
    expected = sorted(range(len(values)), key=lambda n: (-values[n], ids[n]))
    assert order.tolist() == expected
