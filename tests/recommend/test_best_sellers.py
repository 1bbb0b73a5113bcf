"""Best sellers made ready for everybody are those that each request would find for itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.event import Event, Line
from endcap.core.times import DAY, HOUR
from endcap.recommend import best_sellers
from endcap.recommend.best_sellers import NOBODY, everyones
from endcap.recommend.query import Query
from shop_in_memory import ProductDocument, msgspec, product, shop

PRODUCTS = "abcdefgh"
NOW = 1_000 * DAY
CATALOGUE = [product(i, categories=["Home" if i in "aceg" else "Garden"]) for i in PRODUCTS]

bought = st.tuples(st.sampled_from(PRODUCTS), st.integers(0, 30), st.integers(0, 10 * 24))
asks = st.tuples(
    st.sampled_from(["1d", "7d", "30d"]),
    st.sampled_from([None, "Home"]),
    st.sets(st.sampled_from(PRODUCTS)),
    st.integers(1, 9),
)


def fold(state, number, one):
    item, visitor, hours = one
    event = Event(
        shop="default",
        source="s",
        event_id=str(number),
        type="purchase",
        visitor=f"v{visitor}",
        occurred_at=NOW - hours * HOUR,
        received_at=NOW,
        lines=(Line(item),),
    )
    state.counters.fold(event, state.columns)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.lists(bought, max_size=4), asks), min_size=1, max_size=12))
def test_ready_or_not_they_are_the_same(steps):
    state, now, number = shop(CATALOGUE), NOW, 0
    for events, (window, category, hidden, want) in steps:
        for one in events:
            number += 1
            fold(state, number, one)
        now += 300  # the order of the counters is mended at most every quarter of a second
        query = Query(now=now, count=want, category=category)
        out = state.columns.rows(sorted(hidden))

        def allow(rows, out=out):
            return ~np.isin(rows, out)

        found = everyones(window, category, query, state, allow, want)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(best_sellers, "_ready", lambda *_: NOBODY)
            alone = everyones(window, category, query, state, allow, want)
        assert found.rows.tolist() == alone.rows.tolist()
        assert found.scores.tolist() == alone.scores.tolist()


def test_an_event_and_a_change_of_category_are_seen():
    state = shop(CATALOGUE)

    def first(now, category=None):
        query = Query(now=now, count=1, category=category)
        every = lambda rows: np.ones(len(rows), np.bool_)  # noqa: E731
        rows = everyones("7d", category, query, state, every, 1).rows
        return [state.columns.ids[row] for row in rows]

    fold(state, 1, ("a", 1, 1))
    assert first(NOW) == first(NOW, "Home") == ["a"]
    for n in range(2):
        fold(state, 2 + n, ("c", n, 1))
    # Within a quarter of a second the order may be the one before; after it, never.
    assert first(NOW + 1)
    assert first(NOW + 300) == first(NOW + 300, "Home") == ["c"]
    body = msgspec.json.encode(product("c", categories=["Garden"]))
    state.columns.apply([ProductDocument("c", 2, 99, 0, False, body)])
    assert first(NOW + 301, "Home") == ["a"]
