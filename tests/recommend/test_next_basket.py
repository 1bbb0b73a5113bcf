"""The next basket against its formula written out by brute force."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.recommend.query import KIND, Query, Trail
from endcap.recommend.retrievers.next_basket import NextBasket
from shop_in_memory import product, shop

PRODUCTS = "abcdefgh"
CATALOGUE = [product(i) for i in PRODUCTS]
baskets = st.lists(
    st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=5, unique=True),
    min_size=1,
    max_size=10,
)


def answers(retriever, state, own, barred=""):
    rows = [row for basket in reversed(own) for row in state.columns.rows(basket)]
    times = [n for n in range(len(own) - 1, -1, -1) for _ in own[n]]
    trail = Trail(
        np.array(rows, np.int32),
        np.full(len(rows), KIND["purchase"], np.int8),
        np.array(times, np.int64),
    )
    out = state.columns.rows(barred)
    found = retriever.retrieve(
        Query(now=99, count=8, trail=trail), state, lambda r: ~np.isin(r, out), 8
    )
    return {state.columns.ids[r]: s for r, s in zip(found.items, found.scores, strict=True)}


@settings(max_examples=80, deadline=None)
@given(baskets, baskets, st.integers(1, 4))
def test_it_is_the_formula(customers, own, neighbours):
    o = NextBasket(neighbours=neighbours)
    total = len(customers)
    idf = {p: math.log(total / max(1, sum(p in c for c in customers))) for p in PRODUCTS}
    mine = defaultdict(float)
    for lag, basket in enumerate(reversed(own)):
        for p in basket:
            mine[p] += o.basket_decay**lag
    alike = []
    for n, bought in enumerate(customers):
        shared = [p for p in mine if p in bought]
        if shared:
            dot = sum(max(mine[p] * idf[p], 1e-12) for p in shared)
            norm = math.sqrt(max(1e-24, sum(idf[p] for p in bought)))
            alike.append((dot / norm, n))
    alike = sorted(alike, reverse=True)[:neighbours]
    whole = sum(near for near, _ in alike)
    scores = {p: 0.1 * w for p, w in mine.items()}
    for near, n in alike:
        for p in customers[n]:
            scores[p] = scores.get(p, 0) + 0.9 * near / whole
    found = answers(o, shop(CATALOGUE, sessions=customers), own)
    assert found == pytest.approx(scores, rel=1e-5, abs=1e-9)


def test_the_own_part_can_be_set_and_a_mask_is_obeyed():
    state = shop(CATALOGUE, sessions=[["a", "b"], ["a", "c"], ["d", "e"]])
    only_own = answers(NextBasket(own_share=1.0), state, [["a"], ["b"]])
    assert max(only_own, key=only_own.get) == "b"
    assert "c" not in answers(NextBasket(), state, [["a"]], barred="c")
    assert answers(NextBasket(), state, []) == {}
