import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.event import Event, Line
from endcap.core.times import DAY, HOUR
from endcap.relations.counters import FRESH, LIFETIMES, Counters
from endcap.relations.decayed import STEPS, Decayed, began
from endcap.relations.tail import Tail
from shop_in_memory import columns_of, product

NOW = 1_700_000_000_000
COLUMNS = columns_of(*(product(i, brand="X" if i < "c" else "Y") for i in "abcd"))


def event(visitor, product, type="view", at=NOW, **fields):
    return Event(
        shop="default",
        source="t",
        event_id=f"{visitor}{product}{type}{at}",
        type=type,
        visitor=visitor,
        occurred_at=at,
        received_at=at,
        lines=(Line(product),),
        **fields,
    )


def counters_of(*events):
    counters = Counters()
    for one in events:
        counters.fold(one, COLUMNS)
    return counters


def ids(rows):
    return [COLUMNS.ids[row] for row in rows]


moments = st.integers(NOW - 40 * DAY, NOW)
folded = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), moments), max_size=40)


@settings(max_examples=60, deadline=None)
@given(folded, st.integers(0, 100))
def test_decayed_counts_are_the_sum_of_exponentials(events, later):
    table = Decayed(tuple(LIFETIMES.values()), 3)
    for row, signal, moment in events:
        table.add(row, signal, moment)
    now = NOW + later * HOUR
    weights = np.array([1.0, 2.0, 3.0])
    for place, lifetime in enumerate(LIFETIMES.values()):
        expected = [
            sum(
                weights[s] * math.exp((began(t, lifetime) - began(now, lifetime)) / lifetime)
                for r, s, t in events
                if r == row
            )
            for row in range(5)
        ]
        found = table.at(np.arange(5, dtype=np.int32), place, now, weights)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_one_visitor_cannot_move_the_ranking():
    counters = counters_of(
        *(event("bot", "a", at=NOW - 1_000 + n) for n in range(1_000)),
        event("v1", "b"),
        event("v2", "b"),
    )
    assert ids(counters.ranked("1h", NOW)) == ["b", "a"]
    assert counters.visitors(0, "1h", NOW) == pytest.approx(1.0, abs=1e-3)


def test_the_next_day_counts_again():
    counters = counters_of(event("v1", "a", at=NOW - DAY), event("v1", "a"))
    assert counters.visitors(0, "30d", NOW) == pytest.approx(1 + math.exp(-1 / 30))


def test_what_is_no_customer_counts_nothing():
    counters = counters_of(
        event("v1", "a", traffic="bot"), event("", "b"), event("v1", "c", type="impression")
    )
    assert ids(counters.ranked("1d", NOW)) == []


def test_signals_and_zones_are_kept_apart():
    counters = counters_of(
        event("v1", "a", zone="EU"),
        event("v2", "b", type="purchase", zone="US"),
        event("v3", "c", type="cart_add"),
    )
    assert ids(counters.ranked("1d", NOW)) == ["b", "c", "a"]
    assert ids(counters.ranked("1d", NOW, "views")) == ["a"]
    assert ids(counters.ranked("1d", NOW, zone="US")) == ["b"]
    rows = np.arange(4, dtype=np.int32)
    assert counters.rate(rows, "1d", NOW, "carts").tolist() == [0, 0, 1, 0]
    assert counters.rate(rows, "1d", NOW, zone="nowhere").tolist() == [0, 0, 0, 0]


def test_brands_are_sums_of_their_products():
    counters = counters_of(event("v1", "a"), event("v1", "b"), event("v1", "d"))
    by_brand = counters.by_code(COLUMNS.brand, "1d", NOW, "views")
    codes = {name: COLUMNS.names.find(name) for name in "XY"}
    assert by_brand[codes["X"]] == pytest.approx(2)
    assert by_brand[codes["Y"]] == pytest.approx(1)


def test_an_order_is_kept_for_a_moment_and_then_made_anew():
    counters = counters_of(event("v1", "a"))
    assert ids(counters.ranked("1h", NOW)) == ["a"]
    for visitor in ("v2", "v3"):
        counters.fold(event(visitor, "b"), COLUMNS)
    assert ids(counters.ranked("1h", NOW + 100)) == ["a"]
    assert ids(counters.ranked("1h", NOW + 1_000)) == ["b", "a"]


def test_a_tail_takes_an_event_once():
    tail = Tail(seq=1)
    old = msgspec.structs.replace(event("v0", "a"), seq=1)
    new = msgspec.structs.replace(event("v1", "b"), seq=2)
    for _ in range(2):
        tail.fold([old, new], COLUMNS)
    assert ids(tail.counters.ranked("1h", NOW)) == ["b"]
    assert tail.seq == 2


acts = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["view", "cart_add", "purchase"]),
        st.integers(0, 50),
        st.sampled_from([None, "UK"]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(acts, min_size=1, max_size=4))
def test_an_order_mended_is_the_order_made_anew(rounds):
    counters, seen, now = Counters(), [], NOW
    for done in rounds:
        for one, kind, days, zone in done:
            seen.append(event(f"v{len(seen)}", one, kind, NOW - days * DAY, zone=zone))
            counters.fold(seen[-1], COLUMNS)
        now += FRESH
        for zone, signal in ((None, "score"), (None, "acts"), ("UK", "views")):
            expected = counters_of(*seen).ranked("7d", now, signal, zone)
            order = counters.ranked("7d", now, signal, zone)
            assert order.tolist() == expected.tolist()
            found = counters.rate(order, "7d", now, signal, zone)
            assert found == pytest.approx(counters.rate(expected, "7d", now, signal, zone))


@settings(max_examples=60, deadline=None)
@given(folded, st.randoms(use_true_random=False), st.integers(0, 60 * DAY))
def test_rows_with_as_many_events_in_each_step_tie_however_they_were_added(events, chance, ago):
    """Rows 0 and 1 have the same events, up to their place in a step; the others have others."""
    step = LIFETIMES["30d"] // STEPS
    twins = [
        (row, signal, began(moment, LIFETIMES["30d"]) + chance.randrange(step))
        for _, signal, moment in events
        for row in (0, 1)
    ]
    others = [(2 + row % 2, signal, moment) for row, signal, moment in events]
    found = []
    for landmark in (0, NOW - ago):
        mixed = twins + others
        chance.shuffle(mixed)
        table = Decayed(tuple(LIFETIMES.values()), 3, landmark)
        for row, signal, moment in mixed:
            table.add(row, signal, moment)
        weights = np.array([0.05, 0.3, 1.0])
        scores = table.scores(np.arange(4, dtype=np.int32), 3, NOW, weights)
        assert scores[0] == scores[1]
        found.append(scores)
    assert found[0] == pytest.approx(found[1])


def test_ties_break_by_id_not_by_row():
    columns = columns_of(product("b"), product("a"), product("c"))
    counters = Counters()
    for n, one in enumerate("cbacba"):
        counters.fold(event(f"v{n}", one, at=NOW - n), columns)
    assert [columns.ids[row] for row in counters.ranked("30d", NOW)] == ["a", "b", "c"]
