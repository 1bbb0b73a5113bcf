import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.core.placement import Placement
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import make_plan
from endcap.recommend.query import Query
from endcap.recommend.registry import Components
from endcap.recommend.slate import make_items
from shop_in_memory import product, shop

COMPONENTS = Components()
AVAILABLE = [{"filter": "available"}]


def plan_of(*strategies, **fields):
    placement = Placement(strategies=list(strategies), **fields)
    return make_plan("test", 1, placement, COMPONENTS)


def query(state, count=4, **fields):
    rows = {k: state.columns.rows(v) for k, v in fields.items() if isinstance(v, list)}
    rest = {k: v for k, v in fields.items() if not isinstance(v, list)}
    return Query(now=1_000_000, count=count, **rows, **rest)


def ids(state, outcome):
    return [state.columns.ids[pick.row] for pick in outcome.picks]


def run(state, plan, **fields):
    outcome = Pipeline().run(plan, query(state, **fields), state)
    return ids(state, outcome), outcome


SIX = [product(i, categories=["A" if i < "d" else "B"]) for i in "abcdef"]
PAIRS = {"also_bought": {"a": [("b", 4.0, 40), ("c", 2.0, 20), ("d", 1.0, 10)]}}
ALSO_BOUGHT = {"retriever": "also_bought"}
POPULAR = {"retriever": "popular"}


def test_partners_come_in_the_order_of_their_scores():
    state = shop(SIX, PAIRS)
    assert run(state, plan_of(ALSO_BOUGHT), seeds=["a"])[0] == ["b", "c", "d"]


def test_weights_decide_between_strategies():
    relations = {**PAIRS, "bought_together": {"a": [("e", 1.0, 5), ("b", 0.2, 4)]}}
    state = shop(SIX, relations)
    heavy = plan_of(ALSO_BOUGHT, {"retriever": "bought_together", "weight": 3})
    light = plan_of(ALSO_BOUGHT, {"retriever": "bought_together", "weight": 0.1})
    assert run(state, heavy, seeds=["a"])[0] == ["e", "b", "c", "d"]
    assert run(state, light, seeds=["a"])[0] == ["b", "c", "d", "e"]


def test_the_score_is_the_sum_of_its_shares():
    relations = {**PAIRS, "bought_together": {"a": [("e", 1.0, 5), ("b", 0.2, 4)]}}
    plan = plan_of(ALSO_BOUGHT, {"retriever": "bought_together", "weight": 3})
    _, outcome = run(shop(SIX, relations), plan, seeds=["a"])
    for pick in outcome.picks:
        assert pick.score == pytest.approx(sum(share.share for share in pick.shares))
    assert [s.strategy.name for s in outcome.picks[1].shares] == ["also_bought", "bought_together"]


def test_ties_break_by_product_id():
    pairs = {"also_bought": {"a": [("f", 1.0, 1), ("c", 1.0, 1), ("e", 1.0, 1), ("b", 1.0, 1)]}}
    assert run(shop(SIX, pairs), plan_of(ALSO_BOUGHT), seeds=["a"], count=3)[0] == ["b", "c", "e"]


def test_a_score_that_is_no_number_comes_last():
    pairs = {"also_bought": {"a": [("b", np.nan, 1), ("c", 1.0, 1)]}}
    found, outcome = run(shop(SIX, pairs), plan_of(ALSO_BOUGHT), seeds=["a"])
    assert found == ["c", "b"]
    assert outcome.picks[0].score == 1.0


def test_what_may_not_be_shown_is_not():
    products = [*SIX[:1], product("b", stock=0), *SIX[2:]]
    state = shop(products, PAIRS)
    plan = plan_of(ALSO_BOUGHT, filters=[*AVAILABLE, {"filter": "not_in_cart"}])
    assert run(state, plan, seeds=["a"], cart=["c"])[0] == ["d"]
    assert run(state, plan, seeds=["a"], excluded=["d"], taken=["c"])[0] == []


def test_a_narrow_category_is_still_filled():
    many = [product(f"p{n:04}", categories=["Rare" if n >= 990 else "Common"]) for n in range(1000)]
    state = shop(many, popular={p["id"]: 1000 - n for n, p in enumerate(many)})
    found, _ = run(state, plan_of(POPULAR), category="Rare", count=10)
    assert found == [f"p{n:04}" for n in range(990, 1000)]


def test_fallback_rungs_fill_in_order_and_say_so():
    state = shop(SIX, PAIRS, popular={"e": 5, "b": 9})
    plan = plan_of(ALSO_BOUGHT, fallback=[POPULAR, {"retriever": "new_arrivals"}])
    found, outcome = run(state, plan, seeds=["a"], count=5)
    assert found == ["b", "c", "d", "e", "f"]
    assert [p.rung for p in outcome.picks] == ["strategies"] * 3 + ["popular", "new_arrivals"]
    assert outcome.fallback == "new_arrivals"


def test_a_shop_without_any_event_gets_a_full_slate():
    state = shop(SIX)
    plan = plan_of(ALSO_BOUGHT, fallback=[POPULAR, {"retriever": "new_arrivals"}])
    found, _ = run(state, plan, seeds=["a"], count=4)
    assert found == ["f", "e", "d", "c"]


def test_variants_of_a_group_are_shown_once():
    products = [product("a"), *(product(i, group="g") for i in "bc"), product("d")]
    plan = plan_of(ALSO_BOUGHT, rerankers=[{"reranker": "one_per_group"}])
    assert run(shop(products, PAIRS), plan, seeds=["a"])[0] == ["b", "d"]


def test_recently_viewed_leaves_out_the_seed_and_what_is_gone():
    products = [*SIX[:2], product("c", availability="discontinued"), *SIX[3:]]
    plan = plan_of({"retriever": "recently_viewed"}, filters=AVAILABLE)
    found, _ = run(shop(products), plan, viewed=["d", "c", "a", "b"], seeds=["a"])
    assert found == ["d", "b"]


def test_several_seeds_add_up_and_cite_the_best_pair():
    pairs = {"also_bought": {"a": [("c", 1.0, 10), ("d", 3.0, 30)], "b": [("c", 2.5, 25)]}}
    state = shop(SIX, pairs)
    found, outcome = run(state, plan_of(ALSO_BOUGHT), seeds=["a", "b"])
    assert found == ["c", "d"]
    items = make_items(outcome, query(state), state, None)
    assert items[0].reasons[0].counts["seed"] == "b"
    assert items[0].reasons[0].counts["pairs"] == 25


def test_reasons_carry_counts():
    state = shop([product("a", title="Lantern"), *SIX[1:]], PAIRS, popular={"e": 7})
    plan = plan_of(ALSO_BOUGHT, fallback=[POPULAR])
    _, outcome = run(state, plan, seeds=["a"], count=4)
    items = make_items(outcome, query(state), state, None)
    reason = items[0].reasons[0]
    assert reason.text == "40 customers who bought Lantern also bought this"
    assert reason.counts["pairs"] == 40
    assert reason.counts["units"] == 1_000
    assert items[3].reasons[0].counts == {"buyers": 7, "orders": 7, "window": "30d"}
    assert [item.position for item in items] == [1, 2, 3, 4]


def test_why_not_names_the_first_thing_in_the_way():
    from endcap.recommend.eligibility import Eligibility
    from endcap.recommend.standing import Standing

    state = shop([product("a"), product("b", stock=0), product("c")])
    plan = plan_of(ALSO_BOUGHT, filters=[*AVAILABLE, {"filter": "not_in_cart"}])
    standing = Standing()
    with Eligibility(plan, query(state, seeds=["a"], cart=["c"]), state, standing) as allow:
        assert allow.why_not(0) == "seed: the request is about it"
        assert allow.why_not(1) == "available: availability is in_stock, stock 0"
        assert allow.why_not(2) == "not_in_cart: it is in the cart"
    with Eligibility(plan, query(state), state, standing) as allow:
        assert allow(np.arange(3, dtype=np.int32)).tolist() == [True, False, True]


def test_every_problem_of_a_placement_is_named():
    placement = Placement(
        slots=0,
        strategies=[{"retriever": "popular", "windw": "7d"}, {"retriever": "popularr"}],
        filters=[{"filter": "nope"}],
        fallback=[{"retriever": "popular", "weight": -1}],
    )
    with pytest.raises(InvalidInput) as caught:
        make_plan("test", 1, placement, COMPONENTS)
    pointers = [problem.pointer for problem in caught.value.problems]
    assert pointers == [
        "/slots",
        "/strategies/0",
        "/strategies/1/retriever",
        "/filters/0/filter",
        "/fallback/0/weight",
    ]
    assert "windw" in caught.value.problems[1].message


relation = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 10, width=32), st.integers(1, 99)),
        max_size=6,
        unique_by=lambda pair: pair[0],
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    relation,
    relation,
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 50)),
    st.lists(st.sampled_from("abcdefgh"), max_size=3),
    st.lists(st.sampled_from("abcdefgh"), max_size=3),
    st.sets(st.sampled_from("abcdefgh")),
    st.integers(1, 8),
)
def test_laws_of_any_slate(bought, together, popular, seeds, cart, out, count):
    products = [product(i, stock=0 if i in out else 5) for i in "abcdefgh"]
    relations = {"also_bought": bought, "bought_together": together}
    state = shop(products, relations, popular)
    plan = plan_of(
        ALSO_BOUGHT,
        {"retriever": "bought_together", "weight": 0.5},
        filters=[*AVAILABLE, {"filter": "not_in_cart"}],
        fallback=[POPULAR, {"retriever": "new_arrivals"}],
    )
    seeds, cart = list(dict.fromkeys(seeds)), list(dict.fromkeys(cart))
    pipeline = Pipeline()
    first = pipeline.run(plan, query(state, count, seeds=seeds, cart=cart), state)
    again = pipeline.run(plan, query(state, count, seeds=seeds, cart=cart), state)
    found = ids(state, first)
    assert found == ids(state, again)
    assert len(set(found)) == len(found)
    allowed = set("abcdefgh") - out - set(seeds) - set(cart)
    assert set(found) <= allowed
    assert len(found) == min(count, len(allowed))
