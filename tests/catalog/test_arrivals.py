import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.catalog.arrivals import Arrivals


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.lists(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 9)), max_size=5), max_size=4),
)
def test_the_order_mended_is_the_order_made_anew(times, rounds):
    arrived = np.array(times, np.int64)
    arrivals = Arrivals()
    for row in range(len(times)):
        arrivals.changed(row)
    for changes in [[], *rounds]:
        for row, moment in changes:
            if row < len(times):
                arrived[row] = moment
                arrivals.changed(row)
        expected = sorted(range(len(times)), key=lambda row: (-arrived[row], -row))
        assert sorted(arrivals.newest_first(arrived).tolist()) == list(range(len(times)))
        order = arrivals.newest_first(arrived).tolist()
        assert [arrived[row] for row in order] == [arrived[row] for row in expected]
