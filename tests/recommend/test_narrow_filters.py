"""A narrow filter still fills the slate when matching products exist: 100,000 products."""

import pytest

from endcap.core.placement import Placement
from endcap.core.request import RecommendationRequest
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import make_plan
from endcap.recommend.registry import Components
from endcap.services.resolve import Asked, resolved
from shop_in_memory import shop

SIZE = 100_000
PLACEMENT = Placement(
    strategies=[
        {"retriever": "also_bought", "around": "seed"},
        {"retriever": "similar", "around": "seed"},
    ],
    filters=[{"filter": "available"}],
    rerankers=[{"reranker": "one_per_group"}],
    fallback=[{"retriever": "popular", "window": "30d"}],
)


@pytest.fixture(scope="module")
def state():
    products = [
        {
            "id": f"p{n:06}",
            "price": f"{n % 977}.50",
            "brand": f"b{n % 100}",
            "attributes": {"rare": n % 10_000, "few": "yes"} if n % 10_000 < 3 else {},
            "stock": 1,
        }
        for n in range(SIZE)
    ]
    # The partners of the seed match none of the narrow filters; half of the shop was never sold.
    pairs = {"p000050": [(f"p{n:06}", 1.0, 5) for n in range(51, 91)]}
    sold = {f"p{n:06}": SIZE - n for n in range(0, SIZE, 2)}
    return shop(products, {"also_bought": pairs, "similar": pairs}, sold)


def answer(state, **choices):
    plan = make_plan("test", 1, PLACEMENT, Components())
    request = RecommendationRequest(placement="test", seed=["p000050"], count=10, **choices)
    plan, query = resolved(Asked(request, plan, state, 1_000))
    outcome = Pipeline().run(plan, query, state)
    return [state.columns.ids[pick.row] for pick in outcome.picks], outcome


@pytest.mark.parametrize(
    ("choices", "matching", "rung"),
    [
        ({"brand": ["b4"]}, 1_000, "popular"),
        ({"filter": "product.brand == 'b3' && product.price > 10"}, 990, "everything"),
        ({"attributes": {"rare": 1}}, 10, "everything"),
        ({"filter": "product.attributes.rare == 1"}, 10, "everything"),
        ({"filter": "product.attributes.rare == 1", "sort": "price"}, 10, "everything"),
        ({"attributes": {"rare": 1}, "brand": ["b1"], "price_min": "1"}, 10, "everything"),
        ({"filter": "product.id in ['p099999', 'p000001', 'p077777']"}, 3, "everything"),
        ({"filter": "product.attributes.rare == 7"}, 0, None),
    ],
)
def test_the_slate_is_filled(state, choices, matching, rung):
    found, outcome = answer(state, **choices)
    assert len(found) == min(10, matching)
    assert len(set(found)) == len(found)
    assert outcome.fallback == rung


def test_a_wide_filter_leaves_the_strategies_their_candidates(state):
    found, outcome = answer(state, price_max="5000")
    assert found == [f"p{n:06}" for n in range(51, 61)]
    assert outcome.fallback is None
