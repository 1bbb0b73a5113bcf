"""A new shop: full slates before the first event, and pairs that count soon but not too soon."""

import msgspec
import numpy as np

from endcap.build.parameters import BuildParameters
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.product import ProductWrite
from endcap.evaluate.plans import plan_of
from endcap.evaluate.replica import EPOCH, Lines, replica
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.query import Query
from endcap.storage.memory_catalogue import MemoryCatalogue

IDS = [f"p{n:02}" for n in range(40)]


def catalogue_with_attributes():
    catalogue = MemoryCatalogue()
    writes = [
        ProductWrite(
            product,
            msgspec.json.encode(
                {
                    "id": product,
                    "title": f"{'red' if n % 2 else 'blue'} {'mug' if n < 20 else 'lamp'}",
                    "categories": ["Kitchen" if n < 20 else "Light"],
                    "price": "9.00",
                    "currency": "EUR",
                }
            ),
        )
        for n, product in enumerate(IDS)
    ]
    catalogue.write(DEFAULT_SHOP, writes, 1)
    return catalogue


def orders(*baskets):
    event = [n for n, basket in enumerate(baskets) for _ in basket]
    product = [IDS.index(p) for basket in baskets for p in basket]
    count = len(event)
    return Lines(
        "purchase",
        np.array(event, np.int64),
        np.array(product, np.int64),
        np.full(count, -1, np.int64),
        np.array(event, np.int64),
        np.full(count, EPOCH, np.int64) - np.array(event[::-1], np.int64) * 60_000,
    )


def shop(tmp_path, lines):
    return replica(
        IDS, lines, tmp_path, lambda _, __: None, BuildParameters(), catalogue_with_attributes()
    )


def test_a_catalogue_alone_fills_every_placement(tmp_path):
    state = shop(tmp_path, orders())
    seeds = state.columns.rows(["p01"])
    for name in ("home", "product", "cart", "order", "popular", "similar", "also_bought"):
        plan = plan_of(name, [])
        query = Query(now=EPOCH, count=8, seeds=seeds, viewed=seeds, session=seeds)
        outcome = Pipeline().run(plan, query, state)
        assert len(outcome.picks) == 8, name
    query = Query(now=EPOCH, count=8, seeds=seeds)
    alike = Pipeline().run(plan_of("similar", []), query, state).picks
    kinds = {state.cards.title(pick.row) for pick in alike}
    assert kinds == {"red mug"}


def test_a_hundred_orders_move_also_bought_and_one_lucky_pair_does_not_win(tmp_path):
    # p01 goes with p02 in 30 orders; p03 was bought twice, each time with p01.
    baskets = [["p01", "p02"]] * 30 + [["p01", "p03"]] * 2
    baskets += [["p02", "p10"]] * 20 + [["p20", "p21"]] * 48
    state = shop(tmp_path, orders(*baskets))
    query = Query(now=EPOCH, count=4, seeds=state.columns.rows(["p01"]))
    picks = Pipeline().run(plan_of("also_bought", []), query, state).picks
    found = [state.columns.ids[pick.row] for pick in picks]
    assert found[:2] == ["p02", "p03"]
    relation = state.joined.relation("also_bought")
    row = relation.row(state.joined.product(int(query.seeds[0])))
    lift = dict(zip(relation.partner[row].tolist(), relation.evidence["lift"][row], strict=True))
    # By lift alone the lucky pair would have been first.
    assert lift[3] > lift[2]
    assert picks[0].score > 2 * picks[1].score
