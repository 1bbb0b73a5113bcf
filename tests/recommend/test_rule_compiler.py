"""From rules as data to rules that run."""

import numpy as np
import pytest

from endcap.core.errors import InvalidInput
from endcap.core.rule import BoostEffect, BuryEffect, FilterEffect, PinEffect, QuotaEffect, Rule
from endcap.recommend import rule_tests
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.query import Query, Traits
from endcap.recommend.rule_compiler import about, compile_parts, compile_rule
from endcap.services.rules import RuleSet
from shop_in_memory import product, shop

NEVER = FilterEffect(mode="never")


@pytest.fixture
def state():
    return shop(
        [
            product(
                f"p{n}", brand="AB"[n % 2], price=f"{n}.00", zones={"US": {"price": "1.00"}}
                if n == 5
                else {},
            )
            for n in range(10)
        ]
    )  # fmt: skip


def matched(rule, state, rows=None, **query):
    active = compile_rule("r", 1, rule)
    asked = Query(now=10**12, count=4, **query)
    if not active.applies(asked, state):
        return None
    rows = np.arange(10, dtype=np.int32) if rows is None else rows
    return rows[active.matches(rows, asked, state)].tolist()


def test_where_and_when_read_the_request(state):
    cheap = Rule(effect=NEVER, where="product.price < seed.price")
    assert matched(cheap, state) == []
    assert matched(cheap, state, seeds=state.columns.rows(["p3"])) == [0, 1, 2]
    loyal = Rule(effect=NEVER, where="true", when="visitor.segment('loyal') && cart.total > 3.5")
    assert matched(loyal, state) is None
    traits = Traits(segments=frozenset({"loyal"}))
    cart = state.columns.rows(["p1", "p3"])
    assert matched(loyal, state, traits=traits) is None
    assert matched(loyal, state, traits=traits, cart=cart) == list(range(10))
    where = Rule(
        effect=NEVER, where="product.brand in cart.brands && !(product.id in cart.products)"
    )
    assert matched(where, state, cart=cart) == [5, 7, 9]


def test_a_stretch_of_rows_gives_what_single_rows_give(state, monkeypatch):
    monkeypatch.setattr(rule_tests, "CHUNK", 3)
    rule = Rule(effect=NEVER, where="product.price >= 4.0 && product.brand == 'A'")
    assert matched(rule, state) == [4, 6, 8]
    assert matched(rule, state, rows=np.arange(3, 9, dtype=np.int32)) == [4, 6, 8]
    mixed = np.array([8, 1, 4, 2, 6, 0], np.int32)
    assert matched(rule, state, rows=mixed) == [8, 4, 6]
    repeated = np.array([4, 4, 5, 7], np.int32)
    assert matched(rule, state, rows=repeated) == [4, 4]


def test_rules_on_the_product_alone_are_fixed_but_not_those_on_its_age(state):
    assert compile_rule("r", 1, Rule(effect=NEVER, where="product.price < 3")).product_only
    assert not compile_rule("r", 1, Rule(effect=NEVER, where="product.age_days < 3")).product_only
    assert not compile_rule(
        "r", 1, Rule(effect=NEVER, where="product.price < seed.price")
    ).product_only


def test_fixed_rules_see_the_prices_of_the_zone(state):
    rules = PlacementRules(
        [compile_rule("r", 1, Rule(effect=FilterEffect(mode="only"), where="product.price <= 1.0"))]
    )
    assert rules.fixed_filters
    pipeline = Pipeline()
    from test_pipeline import plan_of

    plan = plan_of({"retriever": "new_arrivals"})
    for zone, shown in ((None, {0, 1}), ("US", {0, 1, 5}), ("DE", {0, 1}), ("US", {0, 1, 5})):
        asked = Query(now=1, count=10, zone=zone)
        outcome = pipeline.run(plan, asked, state, False, rules)
        assert {pick.row for pick in outcome.picks} == shown


def test_scope_counts_what_narrows_a_rule():
    effect = BoostEffect(factor=2)
    assert compile_rule("r", 1, Rule(effect=effect)).scope == 0
    whole = Rule(effect=effect, placements=("a",), zones=("b",), when="now.month == 1")
    assert compile_rule("r", 1, whole).scope == 3


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            Rule(effect=NEVER, where="product.price < 5.0", when="visitor.orders == 0"),
            "never show products for which the price is below 5, when the visitor's number of "
            "orders is 0",
        ),
        (
            Rule(effect=BoostEffect(factor=1.5), where="product.in_category('Home')"),
            "score products for which the categories lie in “Home” 1.5 times as high",
        ),
        (Rule(effect=BuryEffect(factor=0.5)), "score all products at 0.5 of what it was"),
        (
            Rule(effect=PinEffect(slot=2, products=("a", "b"), forced=True)),
            "put a, b in slot 2, whatever the filters say",
        ),
        (
            Rule(effect=QuotaEffect(share=0.25), where="product.brand == 'A'"),
            "fill at least 25% of the slate with products for which the brand is “A”",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(rule, sentence):
    assert about(compile_parts(rule)) == sentence


def test_all_problems_come_together():
    rule = Rule(effect=BoostEffect(factor=0), where="product.pric < 3", when="x", priority=5_000)
    with pytest.raises(InvalidInput) as caught:
        compile_rule("r", 1, rule)
    pointers = {problem.pointer for problem in caught.value.problems}
    assert pointers == {"/effect/factor", "/where", "/when", "/priority"}


def test_a_rule_that_no_longer_compiles_leaves_the_others(state):
    good = Rule(effect=NEVER, where="product.brand == 'A'")
    bad = Rule(effect=NEVER, where="product.gone == 'A'")
    rules = RuleSet(
        {"good": (1, good), "bad": (1, bad), "off": (1, Rule(effect=NEVER, enabled=False))}
    )
    assert rules.refused == ["bad"]
    assert [rule.name for rule in rules.for_placement("any").rules] == ["good"]
    more = rules.with_rule("good", 2, good)
    assert [rule.version for rule in more.for_placement("any").rules] == [2]
    assert rules.with_rule("x", 0, good).made("good") is rules.made("good")
