"""What published rules do to slates: filters, boosts, pins, quotas, badges, and who wins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.placement import Placement
from endcap.core.rule import (
    BadgeEffect,
    BoostEffect,
    BuryEffect,
    FilterEffect,
    PinEffect,
    QuotaEffect,
)
from endcap.recommend.active_rule import ActiveRule, in_order
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import make_plan
from endcap.recommend.query import Query
from endcap.recommend.registry import Components
from endcap.recommend.slate import make_items
from endcap.recommend.trace import make_trace, recomputed
from shop_in_memory import product, shop

COMPONENTS = Components()
IDS = "abcdefgh"
PRODUCTS = [product(i, brand="Acme" if i in "bdfh" else "Zeta") for i in IDS]
PAIRS = {"also_bought": {"a": [(i, 9.0 - n, 10) for n, i in enumerate("bcdefg")]}}


def about(state, ids):
    rows = state.columns.rows(ids)
    return lambda found, query, state_: np.isin(found, rows)


def rule(name, effect, where=None, **fields):
    return ActiveRule(
        name=name, version=1, effect=effect, where=where, product_only=where is not None, **fields
    )


def plan_of(fallback=True, **fields):
    rungs = [{"retriever": "new_arrivals"}] if fallback else []
    placement = Placement(
        strategies=[{"retriever": "also_bought"}],
        filters=[{"filter": "available"}],
        fallback=rungs,
        **fields,
    )
    return make_plan("test", 1, placement, COMPONENTS)


def run(state, rules, count=4, plan=None, explain=False, **query):
    asked = Query(now=1_000, count=count, seeds=state.columns.rows("a"), **query)
    outcome = Pipeline().run(plan or plan_of(), asked, state, explain, PlacementRules(rules))
    return [state.columns.ids[pick.row] for pick in outcome.picks], outcome, asked


@pytest.fixture
def state():
    return shop(PRODUCTS, PAIRS)


def test_never_and_only(state):
    never = rule("no-b", FilterEffect(mode="never"), about(state, "b"))
    only = rule("acme", FilterEffect(mode="only"), about(state, "bdfh"))
    assert run(state, [never])[0] == ["c", "d", "e", "f"]
    assert run(state, [only])[0] == ["b", "d", "f", "h"]
    assert run(state, [never, only])[0] == ["d", "f", "h"]


def test_a_boost_multiplies_and_is_capped(state):
    boost = rule("push", BoostEffect(factor=1.5), about(state, "e"))
    assert run(state, [boost], plan=plan_of(boost_cap=1.2))[0] == ["b", "c", "e", "d"]
    assert run(state, [boost])[0] == ["b", "e", "c", "d"]
    twice = [boost, rule("again", BoostEffect(factor=4.0), about(state, "ef"))]
    found, outcome, _ = run(state, twice, plan=plan_of(boost_cap=2.0))
    assert outcome.picks[found.index("e")].factor == pytest.approx(2.0)


def test_a_bury_sinks(state):
    bury = rule("sink", BuryEffect(factor=0.2), about(state, "b"))
    assert run(state, [bury], count=6)[0] == ["c", "d", "e", "f", "g", "b"]


def test_pins_take_their_slots_and_obey_eligibility():
    products = [*PRODUCTS[:7], product("h", stock=0)]
    state = shop(products, PAIRS)
    soft = rule("soft", PinEffect(slot=2, products=("h",)))
    forced = rule("forced", PinEffect(slot=2, products=("h",), forced=True))
    assert run(state, [soft])[0] == ["b", "c", "d", "e"]
    found, outcome, asked = run(state, [forced])
    assert found == ["b", "h", "c", "d"]
    reasons = make_items(outcome, asked, state, None)[1].reasons
    assert [r.code for r in reasons] == ["pinned"]
    assert reasons[0].counts == {"rule": "forced", "version": 1}


def test_a_pin_of_the_best_match(state):
    pin = rule("zeta first", PinEffect(slot=1, count=2), about(state, "ceg"))
    assert run(state, [pin])[0] == ["c", "e", "b", "d"]


def test_a_pin_beyond_the_candidates_is_looked_up(state):
    pin = rule("h first", PinEffect(slot=1), about(state, "h"))
    assert run(state, [pin])[0] == ["h", "b", "c", "d"]


def test_two_pins_of_one_slot_the_higher_priority_first(state):
    low = rule("low", PinEffect(slot=1, products=("g",)), priority=1)
    high = rule("high", PinEffect(slot=1, products=("f",)), priority=2)
    assert run(state, [low, high])[0] == ["f", "g", "b", "c"]


def test_a_quota_moves_up_and_looks_further(state):
    quota = rule("zeta", QuotaEffect(share=0.75), about(state, "ceg"))
    assert run(state, [quota])[0] == ["b", "c", "e", "g"]
    rare = rule("h", QuotaEffect(share=0.25), about(state, "h"))
    found, outcome, asked = run(state, [rare])
    assert found == ["b", "c", "d", "h"]
    assert make_items(outcome, asked, state, None)[3].reasons[0].code == "quota"


def test_badges_are_on_what_matches(state):
    badge = rule("eco", BadgeEffect(badge="eco", text="Green"), about(state, "c"))
    _, outcome, asked = run(state, [badge])
    items = make_items(outcome, asked, state, None)
    assert [[b.type for b in item.badges] for item in items] == [[], ["eco"], [], []]


def test_zone_schedule_and_condition_switch_a_rule(state):
    effect, where = FilterEffect(mode="never"), about(state, "b")
    zone = rule("zone", effect, where, zones=frozenset({"DE"}))
    assert run(state, [zone])[0][0] == "b"
    assert run(state, [zone], zone="DE")[0][0] == "c"
    assert run(state, [rule("off", effect, where, holds=lambda now: False)])[0][0] == "b"
    assert run(state, [rule("on", effect, where, holds=lambda now: now == 1_000)])[0][0] == "c"
    assert run(state, [rule("when", effect, where, when=lambda q, s: q.zone == "FR")])[0][0] == "b"


def test_the_order_of_rules():
    rules = [
        ActiveRule(name="b", version=1, effect=BoostEffect(factor=2)),
        ActiveRule(name="a", version=2, effect=BoostEffect(factor=2)),
        ActiveRule(name="c", version=1, effect=BoostEffect(factor=2), scope=1),
        ActiveRule(name="d", version=1, effect=BoostEffect(factor=2), priority=9),
    ]
    assert [r.name for r in in_order(rules)] == ["d", "c", "a", "b"]


def test_why_not_names_the_rule(state):
    never = rule("no-b", FilterEffect(mode="never"), about(state, "b"), about="never show b")
    asked = Query(now=1, count=4, seeds=state.columns.rows("a"))
    why = Pipeline().why_not(plan_of(), asked, state, 1, PlacementRules([never]))
    assert why == "rule no-b v1: never show b"


def test_fixed_effects_follow_the_catalogue(state):
    pipeline = Pipeline()
    dear = rule(
        "stocked",
        FilterEffect(mode="only"),
        lambda rows, query, state_: state_.columns.stock[rows] != 7,
    )
    rules = PlacementRules([dear])
    asked = Query(now=1, count=4, seeds=state.columns.rows("a"))

    def served():
        outcome = pipeline.run(plan_of(), asked, state, False, rules)
        return [state.columns.ids[pick.row] for pick in outcome.picks]

    assert served() == ["b", "c", "d", "e"]
    from endcap.core.product import ProductDocument

    state.columns.apply([ProductDocument("b", 2, 99, 0, False, b'{"id":"b","stock":7}')])
    assert served() == ["c", "d", "e", "f"]
    state.columns.apply([ProductDocument("z", 1, 100, 0, False, b'{"id":"z","stock":7}')])
    state.columns.apply([ProductDocument("b", 3, 101, 0, False, b'{"id":"b","stock":8}')])
    assert served() == ["b", "c", "d", "e"]


some_ids = st.sets(st.sampled_from(IDS[1:]))
some_rules = st.lists(
    st.tuples(
        st.sampled_from(["never", "only", "boost", "bury", "pin", "force", "quota"]),
        some_ids,
        st.integers(1, 8),
        st.booleans(),
    ),
    max_size=5,
)


def built(state, drawn):
    effects = {
        "never": lambda n, ids: FilterEffect(mode="never"),
        "only": lambda n, ids: FilterEffect(mode="only"),
        "boost": lambda n, ids: BoostEffect(factor=1 + n / 2),
        "bury": lambda n, ids: BuryEffect(factor=1 / (1 + n)),
        "pin": lambda n, ids: PinEffect(slot=n, products=tuple(sorted(ids))),
        "force": lambda n, ids: PinEffect(slot=n, products=tuple(sorted(ids)), forced=True),
        "quota": lambda n, ids: QuotaEffect(share=n / 8),
    }
    return [
        rule(
            f"r{place}",
            effects[kind](n, ids),
            about(state, ids),
            when=(lambda q, s: True) if conditional else None,
        )
        for place, (kind, ids, n, conditional) in enumerate(drawn)
    ]


@settings(max_examples=300, deadline=None)
@given(some_rules, st.integers(1, 8), st.sets(st.sampled_from(IDS[1:])))
def test_laws_under_any_rules(drawn, count, gone):
    state = shop([product(i, stock=0 if i in gone else 5) for i in IDS], PAIRS)
    rules = built(state, drawn)
    found, outcome, asked = run(state, rules, count, explain=True)
    again, _, _ = run(state, rules, count)
    assert found == again
    assert len(set(found)) == len(found) <= count
    forced = {i for kind, ids, _, _ in drawn for i in ids if kind == "force"}
    barred = {i for kind, ids, _, _ in drawn for i in ids if kind == "never"}
    for kind, ids, _, _ in drawn:
        if kind == "only":
            barred |= set(IDS) - ids
    assert not (set(found) - forced) & (barred | gone | {"a"})
    trace = make_trace(outcome, plan_of(), asked, state)
    for item in trace["items"]:
        assert recomputed(item, trace["boost_cap"]) == pytest.approx(item["score"])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from("bcdefg"), st.floats(1.01, 9), st.floats(1.01, 9))
def test_a_higher_boost_never_lowers_a_product(boosted, one, two):
    state = shop(PRODUCTS, PAIRS)
    low, high = sorted((one, two))
    places = []
    for factor in (low, high):
        boost = rule("push", BoostEffect(factor=factor), about(state, boosted))
        places.append(run(state, [boost], count=6)[0].index(boosted))
    assert places[1] <= places[0]


def test_prepared_effects_are_those_of_the_first_request(state):
    boost = rule("push", BoostEffect(factor=3.0), about(state, "e"))
    never = rule("no-b", FilterEffect(mode="never"), about(state, "b"))
    rules = PlacementRules([boost, never])
    asked = Query(now=1, count=4, seeds=state.columns.rows("a"))

    def served(pipeline):
        outcome = pipeline.run(plan_of(), asked, state, False, rules)
        return [(pick.row, pick.score) for pick in outcome.picks]

    ready = Pipeline()
    ready.prepare(rules, state)
    assert served(ready) == served(Pipeline())
    from endcap.core.product import ProductDocument

    ready.prepare(rules, state)
    state.columns.apply([ProductDocument("c", 2, 99, 0, False, b'{"id":"c","stock":0}')])
    assert served(ready) == served(Pipeline())
