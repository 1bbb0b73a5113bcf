"""What arrays of rows are put together and told apart by."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalog.arrays import absent, distinct

rows = st.lists(st.integers(0, 30), max_size=40).map(lambda found: np.array(found, np.int32))


@given(rows, rows)
def test_rows_of_two_lists_each_once_and_rising(one, other):
    found = distinct(one, other)
    assert found.dtype == np.int32
    assert found.tolist() == sorted({*one.tolist(), *other.tolist()})
    before = one.copy()
    assert distinct(one).tolist() == sorted({*one.tolist()})
    assert one.tolist() == before.tolist()


@given(rows, rows)
def test_rows_that_are_not_among_others(some, others):
    known = {*others.tolist()}
    assert absent(some, others).tolist() == [row not in known for row in some.tolist()]
