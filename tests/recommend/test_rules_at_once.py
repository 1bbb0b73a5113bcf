"""Many rules worked out at once do what each of them does alone."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.rule import (
    BadgeEffect,
    BoostEffect,
    BuryEffect,
    FilterEffect,
    QuotaEffect,
    Rule,
    Schedule,
)
from endcap.recommend.fixed_effects import FixedEffects
from endcap.recommend.merchandising import PlacementRules, RequestRules
from endcap.recommend.query import Query, Traits
from endcap.recommend.rule_compiler import compile_rule
from endcap.rules import expression as expressions
from shop_in_memory import product, shop

HOUR = 3_600_000
PRODUCTS = [
    product(
        f"p{n}",
        brand="ABC"[n % 3],
        price=f"{n % 7}.50",
        tags=["eco"] if n % 4 == 0 else [],
        zones={"US": {"price": "1.00"}} if n % 5 == 0 else {},
    )
    for n in range(20)
]
STATE = shop(PRODUCTS)
ROWS = np.arange(20, dtype=np.int32)
EFFECTS = st.sampled_from(
    [
        FilterEffect(mode="only"),
        FilterEffect(mode="never"),
        BoostEffect(factor=2.0),
        BoostEffect(factor=1.5),
        BuryEffect(factor=0.25),
        BadgeEffect(badge="eco"),
        QuotaEffect(share=0.5),
    ]
)
WHERE = st.sampled_from(
    [
        "product.price < 3.0",
        "product.brand == 'A'",
        "'eco' in product.tags",
        "product.price <= 1.2 * seed.price",
        "product.brand == seed.brand",
        "product.brand in cart.brands",
        "product.brand.contains(seed.brand)",
        "product.brand != seed.brand && product.price > seed.price",
        "visitor.orders > 1.0 && product.price > 2.0",
    ]
)
WHEN = st.sampled_from(
    [
        "",
        "",
        "visitor.orders >= 1",
        "visitor.orders >= 2",
        "visitor.segment('loyal')",
        "seed.price > 2.0",
        "cart.size >= 1 && visitor.orders < 3",
        "now.hour >= 12",
    ]
)
SCHEDULES = st.sampled_from([None, None, Schedule(hours=("06:00-14:00",)), Schedule(weekdays=(4,))])
RULES = st.lists(
    st.builds(
        Rule,
        effect=EFFECTS,
        where=WHERE,
        when=WHEN,
        zones=st.sampled_from([(), (), ("US",), ("DE", "US")]),
        schedule=SCHEDULES,
        priority=st.integers(0, 2),
    ),
    max_size=20,
)
QUERIES = st.builds(
    lambda seed, cart, orders, segments, zone, hour: Query(
        now=hour * HOUR,
        count=4,
        seeds=np.array(seed, np.int32),
        cart=np.array(cart, np.int32),
        zone=zone,
        traits=Traits(orders=orders, segments=segments),
    ),
    st.lists(st.integers(0, 19), max_size=1),
    st.lists(st.integers(0, 19), max_size=2, unique=True),
    st.integers(0, 3),
    st.sampled_from([frozenset(), frozenset({"loyal"})]),
    st.sampled_from([None, "US", "DE"]),
    st.integers(0, 60),
)


@settings(max_examples=150, deadline=None)
@given(RULES, st.lists(QUERIES, min_size=1, max_size=4), st.booleans())
def test_at_once_is_each_alone(rules, queries, kept):
    placement = PlacementRules(compile_rule(f"r{n:02}", 1, rule) for n, rule in enumerate(rules))
    effects = FixedEffects() if kept else None
    for query in queries:
        # A query keeps what expressions read of it, so the two sides get one each.
        alone = msgspec.structs.replace(query)
        at_once = RequestRules(placement, query, STATE, effects)
        on = [rule for rule in placement.rules if rule.applies(alone, STATE)]
        assert at_once.active == tuple(on)
        kept_rows, factor = np.ones(20, bool), np.ones(20)
        factors, badges = [[] for _ in ROWS], [[] for _ in ROWS]
        removed = [None] * 20
        for rule in on:
            matched = rule.matches(ROWS, alone, STATE)
            for row in np.flatnonzero(matched).tolist():
                if isinstance(rule.effect, BoostEffect | BuryEffect):
                    factor[row] *= rule.factor
                    factors[row].append((rule, rule.factor))
                if isinstance(rule.effect, BadgeEffect):
                    badges[row].append(rule)
            if isinstance(rule.effect, FilterEffect):
                through = rule.keeps(ROWS, alone, STATE)
                for row in np.flatnonzero(~through & kept_rows).tolist():
                    removed[row] = rule
                kept_rows &= through
        assert at_once.keep(ROWS, np.ones(20, bool)).tolist() == kept_rows.tolist()
        assert [at_once.removed_by(row) for row in ROWS.tolist()] == removed
        found = at_once.factor(ROWS, 10.0)
        assert (np.ones(20) if found is None else found) == pytest.approx(factor.clip(0.1, 10.0))
        assert at_once.factors_of(ROWS) == factors
        assert at_once.badges_of(ROWS) == badges


def test_long_stretches_are_cut(monkeypatch):
    monkeypatch.setattr("endcap.recommend.varying.CHUNK", 3)
    never = Rule(effect=FilterEffect(mode="never"), where="product.price > seed.price")
    rules = PlacementRules([compile_rule("r", 1, never)])
    query = Query(now=0, count=4, seeds=np.array([3], np.int32))
    kept = RequestRules(rules, query, STATE).keep(ROWS, np.ones(20, bool))
    assert kept.tolist() == [n % 7 <= 3 for n in range(20)]


def test_a_condition_that_many_rules_have_is_evaluated_once(monkeypatch):
    asked = []
    holds = expressions.Expression.holds

    def noted(self, env):
        asked.append(self.text)
        return holds(self, env)

    monkeypatch.setattr(expressions.Expression, "holds", noted)
    boost = BoostEffect(factor=2.0)
    rules = [Rule(effect=boost, when=f"visitor.orders >= {n % 3}") for n in range(60)]
    placement = PlacementRules(compile_rule(f"r{n}", 1, rule) for n, rule in enumerate(rules))
    for orders in (0, 2, 0, 2, 1):
        query = Query(now=0, count=4, traits=Traits(orders=orders))
        assert len(RequestRules(placement, query, STATE).active) == 20 * (orders + 1)
    assert len(asked) == 9, "three texts, three different numbers of orders"


def test_two_drafts_of_one_name_are_not_taken_for_each_other():
    effects = FixedEffects()
    for brand in "AB":
        only = Rule(effect=FilterEffect(mode="only"), where=f"product.brand == '{brand}'")
        rules = PlacementRules([compile_rule("draft", 0, only)])
        kept = RequestRules(rules, Query(now=0, count=4), STATE, effects).keep(
            ROWS, np.ones(20, bool)
        )
        assert kept.tolist() == [PRODUCTS[row]["brand"] == brand for row in ROWS]
