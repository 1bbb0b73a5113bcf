"""How long an answer takes under filters of falling width: `python bench/narrow_filters.py [n]`.

A shop of n made-up products, half of them sold; the placement asks two relations, then best
sellers, then the whole catalogue. Prints processor milliseconds per answer: median and worst.
"""

import sys
import time

import msgspec
import numpy as np

sys.path.insert(0, "tests")

from endcap.core.placement import Placement
from endcap.core.request import RecommendationRequest
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import make_plan
from endcap.recommend.registry import Components
from endcap.services.resolve import Asked, resolved
from shop_in_memory import shop

RUNS = 30
PLACEMENT = Placement(
    strategies=[{"retriever": "also_bought", "around": "seed"}, {"retriever": "similar"}],
    filters=[{"filter": "available"}, {"filter": "not_in_cart"}],
    rerankers=[{"reranker": "one_per_group"}],
    fallback=[{"retriever": "popular", "window": "30d"}, {"retriever": "new_arrivals"}],
)
CASES = {
    "no filter": {},
    "half: filter=product.price < 488": {"filter": "product.price < 488"},
    "1 %: brand": {"brand": ["b3"]},
    "1 %: filter on brand and price": {"filter": "product.brand == 'b3' && product.price > 10"},
    "0.01 %: attribute": {"attributes": {"rare": 1}},
    "0.01 %: filter on an attribute": {"filter": "product.attributes.rare == 1"},
    "0.01 %: filter, sorted by price": {
        "filter": "product.attributes.rare == 1 || product.attributes.rare == 2",
        "sort": "price",
    },
    "none: everything is looked through": {"filter": "product.attributes.rare == 99999"},
    "none: dearest expression taken": {
        "filter": "(product.price * 2.0 - product.list_price) * product.price > 9.0e9"
        " && product.rating / 2.0 < 1.0 && product.price < 5.0"
    },
}


def main(size):
    products = [
        {
            "id": f"p{n:07}",
            "price": f"{n % 977}.50",
            "brand": f"b{n % 100}",
            "attributes": {"rare": n % 10_000},
            "stock": 1,
        }
        for n in range(size)
    ]
    pairs = {"p0000050": [(f"p{n:07}", 1.0, 5) for n in range(51, 151)]}
    sold = {f"p{n:07}": size - n for n in range(0, size, 2)}
    state = shop(products, {"also_bought": pairs, "similar": pairs}, sold)
    plan = make_plan("bench", 1, PLACEMENT, Components())
    pipeline = Pipeline()
    print(f"{size:,} products; ms of processor time per answer, {RUNS} runs")
    print(f"{'median':>8} {'worst':>8} {'filled':>7}  filter")
    for name, choices in CASES.items():
        times = []
        for _ in range(RUNS):
            request = RecommendationRequest(
                placement="bench", seed=["p0000050"], count=10, **msgspec.to_builtins(choices)
            )
            began = time.thread_time()
            asked, query = resolved(Asked(request, plan, state, 1_000))
            outcome = pipeline.run(asked, query, state)
            times.append(1e3 * (time.thread_time() - began))
        filled = len(outcome.picks)
        print(f"{np.median(times[2:]):8.2f} {max(times[2:]):8.2f} {filled:7}  {name}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
