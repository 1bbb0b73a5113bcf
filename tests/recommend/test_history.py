"""What was read of a visitor is read again as soon as it may differ."""

from endcap.core.event import Event, Line, VisitorState
from endcap.core.merchant import Corrections
from endcap.core.times import DAY, MINUTE
from endcap.ingest.fold import fold
from endcap.recommend.affinity import kept_profile, profile_of
from endcap.recommend.history import KeptReads, read_history
from shop_in_memory import ProductDocument, msgspec, product, shop

NOW = 100 * DAY


def event(kind, at, *products):
    return Event(
        shop="default",
        source="s",
        event_id=f"{kind}{at}{products}",
        type=kind,
        visitor="v",
        occurred_at=at,
        received_at=at,
        lines=tuple(Line(p) for p in products),
    )


def ids(state, rows):
    return [state.columns.ids[row] for row in rows.tolist()]


def test_a_click_of_just_now_is_read():
    state, visitor = shop([product("a"), product("b")]), VisitorState()
    fold(visitor, [event("view", NOW - 5, "a")])
    assert ids(state, read_history(visitor, state, NOW).viewed) == ["a"]
    fold(visitor, [event("view", NOW - 4, "b")])
    assert ids(state, read_history(visitor, state, NOW).viewed) == ["b", "a"]
    assert ids(state, read_history(visitor, state, NOW).session) == ["b", "a"]


def test_time_alone_ends_a_session_and_brings_back_what_was_bought():
    state, visitor = shop([product("a"), product("b")]), VisitorState()
    fold(visitor, [event("view", NOW, "a"), event("purchase", NOW, "b")])
    soon, later = NOW + 29 * MINUTE, NOW + 31 * MINUTE
    assert ids(state, read_history(visitor, state, soon).session) == ["a"]
    assert ids(state, read_history(visitor, state, later).session) == []
    assert ids(state, read_history(visitor, state, NOW + 30 * DAY).bought) == ["b"]
    assert ids(state, read_history(visitor, state, NOW + 31 * DAY).bought) == []
    assert ids(state, read_history(visitor, state, NOW + 31 * DAY).owned) == ["b"]


def test_a_product_that_came_after_the_event_is_found():
    state, visitor = shop([product("a")]), VisitorState()
    fold(visitor, [event("view", NOW, "late")])
    assert ids(state, read_history(visitor, state, NOW).viewed) == []
    body = msgspec.json.encode(product("late"))
    state.columns.apply([ProductDocument("late", 1, 9, 0, False, body)])
    assert ids(state, read_history(visitor, state, NOW).viewed) == ["late"]


def test_nothing_is_read_twice_while_nothing_happens():
    state, visitor = shop([product("a")]), VisitorState()
    fold(visitor, [event("view", NOW, "a")])
    reads = state.kept(KeptReads)
    first = reads.read(visitor, state.columns)
    assert reads.read(visitor, state.columns) is first
    fold(visitor, [event("impression", NOW, "a")])
    assert reads.read(visitor, state.columns) is not first


def test_a_profile_follows_its_products_and_its_corrections():
    state, visitor = shop([product("a", brand="Acme")]), VisitorState()
    fold(visitor, [event("view", NOW, "a")])
    trail = read_history(visitor, state, NOW).trail

    def facets(corrections):
        found = kept_profile(trail, state, 14.0, corrections)
        assert found == profile_of(trail, state, 14.0, corrections)
        return [facet.facet for facet in found.facets]

    assert facets(Corrections()) == ["brand:Acme"]
    assert facets(Corrections(muted=["brand:Acme"])) == []
    body = msgspec.json.encode(product("a", brand="Zen"))
    state.columns.apply([ProductDocument("a", 2, 9, 0, False, body)])
    assert facets(Corrections()) == ["brand:Zen"]
