"""Session-kNN and transitions against the formulas written out by brute force."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.build.parameters import Following
from endcap.build.sessions import count_repeats
from endcap.core.event import Event, Line
from endcap.recommend.query import Query
from endcap.recommend.retrievers.next_in_sequence import NextInSequence
from endcap.recommend.retrievers.session_neighbours import SessionNeighbours
from endcap.recommend.retrievers.session_repeats import SessionRepeats
from shop_in_memory import product, shop

PRODUCTS = "abcdefgh"
CATALOGUE = [product(i) for i in PRODUCTS]
visits = st.lists(st.text(PRODUCTS, min_size=2, max_size=7), min_size=1, max_size=14)
current = st.text(PRODUCTS, min_size=1, max_size=6)


def answers(retriever, state, session, visitor=""):
    query = Query(now=0, count=8, session=state.columns.rows(session[::-1]), visitor=visitor)
    found = retriever.retrieve(query, state, lambda rows: np.ones(len(rows), bool), 8)
    return {state.columns.ids[row]: s for row, s in zip(found.items, found.scores, strict=True)}


def seen_lags(session):
    """Newest first, each product once, with the clicks since."""
    lags = {}
    for lag, item in enumerate(reversed(session)):
        lags.setdefault(item, lag)
    return lags


def neighbours_by_hand(sessions, session, o):
    total = len(sessions)
    idf = {p: math.log(total / max(1, sum(p in s for s in sessions))) for p in PRODUCTS}
    lags = seen_lags(session)
    newest = {p: [n for n in reversed(range(total)) if p in sessions[n]][: o.newest] for p in lags}
    alike = []
    for n, other in enumerate(sessions):
        shared = [p for p in lags if n in newest[p]]
        if shared:
            near = sum(
                max(1e-12, math.exp(-lags[p] / o.lag_decay) * idf[p] ** o.rarity) for p in shared
            )
            match = other.rindex(shared[0])
            age = math.exp(-(total - 1 - n) / (o.age_decay * total))
            alike.append((near * age, n, match))
    alike.sort(reverse=True)
    scores = defaultdict(float)
    for near, n, match in alike[: o.neighbours]:
        for place, p in enumerate(sessions[n]):
            far = place - match
            scores[p] += near * math.exp(-abs(far) / o.reach) * (o.back if far < 0 else 1)
    return shared_out({p: math.sqrt(s * idf[p] ** o.niche) for p, s in scores.items()})


def shared_out(scores):
    scores = {p: s for p, s in scores.items() if s > 0}
    return {p: s / sum(scores.values()) for p, s in scores.items()}


@settings(max_examples=150, deadline=None)
@given(visits, current, st.integers(1, 4), st.integers(1, 5))
def test_session_neighbours_are_the_formula(sessions, session, newest, neighbours):
    retriever = SessionNeighbours(newest=newest, neighbours=neighbours)
    state = shop(CATALOGUE, sessions=sessions)
    expected = neighbours_by_hand(sessions, session, retriever)
    assert answers(retriever, state, session) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(visits, visits, current)
def test_the_tail_counts_as_if_it_had_been_built(old, fresh, session):
    built = shop(CATALOGUE, sessions=old + fresh)
    live = shop(CATALOGUE, sessions=old)
    seq = 0
    for number, visit in enumerate(fresh):
        for p in visit:
            seq += 1
            live.tail.fold([click(f"v{number}", p, seq)], live.columns)
    retriever = SessionNeighbours()
    expected = answers(retriever, built, session)
    assert answers(retriever, live, session) == pytest.approx(expected, rel=1e-6)


def click(visitor, p, seq, **fields):
    return Event(
        seq=seq,
        shop="default",
        source="t",
        event_id=str(seq),
        type="view",
        visitor=visitor,
        occurred_at=seq,
        received_at=seq,
        lines=(Line(p),),
        **fields,
    )


def test_a_visitors_own_session_is_no_neighbour():
    state = shop(CATALOGUE, sessions=["ef"])
    for seq, p in enumerate("abc", 1):
        state.tail.fold([click("me", p, seq)], state.columns)
    assert answers(SessionNeighbours(), state, "ab", visitor="me") == {}
    assert set(answers(SessionNeighbours(), state, "ab", visitor="you")) == {"a", "b", "c"}


def transitions_by_hand(sessions, o):
    total, clicks = len(sessions), defaultdict(int)
    weight = defaultdict(lambda: defaultdict(float))
    for n, visit in enumerate(sessions):
        age = math.exp(-(total - 1 - n) / (o.recency * total))
        for x, a in enumerate(visit):
            clicks[a] += 1
            for y in range(x + 1, min(len(visit), x + o.reach + 1)):
                weight[a][visit[y]] += age / (y - x) ** o.fade
                weight[visit[y]][a] += o.backward * age / (y - x) ** o.fade
    rows = {}
    for a, found in weight.items():
        ranked = sorted(((-w / clicks[b] ** o.niche, b) for b, w in found.items()))[: o.partners]
        rows[a] = shared_out({b: -w for w, b in ranked})
    return rows


@settings(max_examples=100, deadline=None)
@given(visits, current)
def test_next_in_sequence_is_the_formula(sessions, session):
    state = shop(CATALOGUE, sessions=sessions)
    for hops, kind in ((1, Following()), (2, Following(fade=0.8, niche=0.4, partners=50))):
        rows = transitions_by_hand(sessions, kind)
        if hops == 2:
            rows = {
                a: {
                    c: sum(w * rows.get(b, {}).get(c, 0) for b, w in found.items())
                    for c in PRODUCTS
                }
                for a, found in rows.items()
            }
        scores = defaultdict(float)
        for p, lag in seen_lags(session).items():
            for b, w in rows.get(p, {}).items():
                scores[b] += math.exp(-lag / 1.3) * w
        expected = shared_out(scores)
        assert answers(NextInSequence(hops=hops), state, session) == pytest.approx(
            expected, rel=1e-5
        )


@settings(max_examples=80, deadline=None)
@given(visits)
def test_repeats_are_counted_by_lag(sessions):
    hits, tries = defaultdict(int), defaultdict(int)
    for visit in sessions:
        for at in range(1, len(visit)):
            for p, lag in seen_lags(visit[:at]).items():
                tries[lag] += 1
                hits[lag] += p == visit[at]
    items = np.array([ord(p) for visit in sessions for p in visit], np.int32)
    offsets = np.cumsum([0, *map(len, sessions)]).astype(np.int64)
    found_hits, found_tries = count_repeats(offsets, items)
    assert found_tries.tolist()[:6] == [tries[lag] for lag in range(6)]
    assert found_hits.tolist()[:6] == [hits[lag] for lag in range(6)]


def test_a_shop_whose_visitors_come_back_shows_more_repeats():
    back = shop(CATALOGUE, sessions=["aba", "cdc", "efe"] * 20)
    onward = shop(CATALOGUE, sessions=["abc", "cde", "efg"] * 20)
    assert answers(SessionRepeats(), back, "ab")["a"] > 0.5
    assert answers(SessionRepeats(), onward, "ab")["a"] < 0.01
