"""Caps, spreading, rotation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.times import DAY
from endcap.recommend.query import Query, Shown
from endcap.recommend.rerankers.cap import Cap
from endcap.recommend.rerankers.diversify import Diversify
from endcap.recommend.rerankers.one_per_group import OnePerGroup
from endcap.recommend.rerankers.rotate import Rotate
from endcap.recommend.stages import Ranked
from shop_in_memory import product, shop


def arranged(reranker, state, ids, scores=None, count=4, **query):
    rows = state.columns.rows(ids)
    scores = np.array(scores if scores is not None else np.arange(len(ids), 0, -1), float)
    kept = reranker.arrange(Ranked(rows, scores), Query(now=10 * DAY, count=count, **query), state)
    return "".join(ids[place] for place in kept.tolist())


@pytest.fixture
def state():
    brands = {"a": "X", "b": "X", "c": "X", "d": "Y"}
    return shop(
        [
            product(i, brand=brands.get(i), categories=["K" if i in "abef" else "L"])
            for i in "abcdef"
        ]
    )


def test_a_cap_by_an_attribute_of_any_kind():
    values = {"a": "red", "b": "red", "c": 7, "d": 7, "e": True, "f": True, "g": ["S"], "h": ["S"]}
    coloured = shop(
        [
            *(product(i, attributes={"colour": value}) for i, value in values.items()),
            product("i"),
            product("j"),
        ]
    )
    assert arranged(Cap(by="attributes.colour", at_most=1), coloured, "abcdefghij") == "acegij"
    assert arranged(Cap(by="attributes.unheard", at_most=1), coloured, "abc") == "abc"
    with pytest.raises(ValueError, match="by must be brand"):
        Cap(by="colour")


def test_a_cap_keeps_the_best_of_each_brand(state):
    assert arranged(Cap(at_most=2), state, "abcdef") == "abdef"
    assert arranged(Cap(at_most=1), state, "cbadfe") == "cdfe"
    assert arranged(Cap(at_most=1, strict=False), state, "abcd") == "adbc"
    assert arranged(Cap(by="category", at_most=1), state, "abcd") == "ac"


def test_spreading_moves_likes_apart_only_when_scores_are_close(state):
    assert arranged(Diversify(), state, "abcd", [1, 0.99, 0.98, 0.97]) == "adbc"
    assert arranged(Diversify(), state, "abcd", [1, 0.6, 0.4, 0.1]) == "abcd"
    assert arranged(Diversify(strength=0), state, "abcd", [1, 0.99, 0.98, 0.97]) == "abcd"


def test_what_was_shown_often_sinks_and_recovers(state):
    now = 10 * DAY
    often = Shown(state.columns.rows("a").repeat(10), np.full(10, now))
    long_ago = Shown(state.columns.rows("a").repeat(10), np.full(10, now - 9 * DAY))
    assert arranged(Rotate(), state, "abcd", shown=often) == "bcad"
    assert arranged(Rotate(), state, "abcd", shown=long_ago) == "abcd"
    assert arranged(Rotate(), state, "abcd") == "abcd"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["X", "Y", "Z", None]), min_size=1, max_size=12),
    st.integers(1, 3),
    st.floats(0, 1),
)
def test_laws(brands, at_most, strength):
    ids = [f"p{n:02}" for n in range(len(brands))]
    state = shop([product(i, brand=brand) for i, brand in zip(ids, brands, strict=True)])
    ranked = Ranked(state.columns.rows(ids), np.linspace(1, 0.5, len(ids)))
    query = Query(now=0, count=5)
    capped = [brands[p] for p in Cap(at_most=at_most).arrange(ranked, query, state).tolist()]
    for brand in {b for b in capped if b}:
        assert capped.count(brand) == min(at_most, brands.count(brand))
    assert capped.count(None) == brands.count(None)
    spread = Diversify(strength=strength).arrange(ranked, query, state).tolist()
    assert sorted(spread) == list(range(len(ids)))


def test_of_a_group_the_variant_in_the_colour_looked_at():
    state = shop(
        [
            product("red-1", group="mug", attributes={"colour": "red"}),
            product("blue-1", group="mug", attributes={"colour": "blue"}),
            product("plain"),
            product("red-2", group="rug", attributes={"colour": "red"}),
            product("blue-2", group="rug", attributes={"colour": "blue"}),
            product("seed", attributes={"colour": "blue"}),
        ]
    )

    def shown(**query):
        ids = ["red-1", "plain", "blue-1", "red-2", "blue-2"]
        ranked = Ranked(state.columns.rows(ids), np.linspace(1, 0.5, 5))
        places = OnePerGroup().arrange(ranked, Query(now=0, count=5, **query), state)
        return [ids[place] for place in places.tolist()]

    assert shown() == ["red-1", "plain", "red-2"]
    assert shown(seeds=state.columns.rows(["seed"])) == ["blue-1", "plain", "blue-2"]
    assert shown(session=state.columns.rows(["seed"])) == ["blue-1", "plain", "blue-2"]
    assert shown(seeds=state.columns.rows(["plain"])) == ["red-1", "plain", "red-2"]
