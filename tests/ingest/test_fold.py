"""Visitor state is the same whatever the order in which events arrive, and bounded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.event import Event, Line, VisitorState
from endcap.ingest.fold import KEPT, MAX_KEPT, MAX_SHOWN, fold

KINDS = ["view", "purchase", "impression", "served", "search"]


def event(n, kind, at, product="p"):
    return Event(
        shop="s",
        source="t",
        event_id=str(n),
        type=kind,
        visitor="v",
        occurred_at=at,
        received_at=at,
        lines=(Line(product),),
    )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(0, 50), st.sampled_from("abc")), max_size=30
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_of_arrival_gives_the_same_state(drawn, chance):
    events = [event(n, kind, at, product) for n, (kind, at, product) in enumerate(drawn)]
    shuffled = list(events)
    chance.shuffle(shuffled)
    one, two = VisitorState(), VisitorState()
    fold(one, events)
    for single in shuffled:
        fold(two, [single])
    assert one == two
    assert len(one.recent) == sum(kind in KEPT for kind, _, _ in drawn)


def test_state_is_bounded_and_impressions_push_nothing_out():
    state = VisitorState()
    fold(state, [event(1, "view", 1)])
    fold(state, [event(n, "impression", n) for n in range(2, 500)])
    fold(state, [event(n, "served", n) for n in range(500, 900)])
    assert [e.type for e in state.recent] == ["view"]
    assert len(state.shown) == MAX_SHOWN
    fold(state, [event(n, "view", n) for n in range(900, 1200)])
    assert len(state.recent) == MAX_KEPT
    assert state.recent[-1].occurred_at == 1199
