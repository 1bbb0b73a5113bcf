"""Why, why not, and the same slate again after everything has moved on."""

import pytest

from door import open_door

PARTNERS = {"plate": 6, "lamp": 4, "rug": 3, "bowl": 2}
ORDERS = [("mug", partner) for partner, times in PARTNERS.items() for _ in range(times)]


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("traces")) as opened:
        for product in ("mug", "plate", "lamp", "rug", "bowl", "vase"):
            opened.put_product(product, title=product.title(), price="5.00", stock=9)
        opened.send(
            *(
                {
                    "event_id": f"o{n}",
                    "type": "purchase",
                    "visitor": f"buyer-{n}",
                    "products": [{"id": one, "quantity": 1} for one in basket],
                }
                for n, basket in enumerate(ORDERS)
            )
        )
        opened.build()
        yield opened


def ask(door, **parameters):
    answer = door.get("/v1/recommendations/product", **parameters)
    assert answer.status == 200, answer
    return answer.json()


def ids(slate):
    return [item["id"] for item in slate["items"]]


def test_the_trace_in_the_answer_is_the_trace_by_token(door):
    slate = ask(door, seed="mug", count=3, explain="true")
    later = door.get(f"/v1/recommendations/{slate['token']}/trace").json()
    assert later["exact"] is True
    assert later["differences"] == []
    assert later["trace"] == slate["trace"]
    assert [item["id"] for item in later["trace"]["items"]] == ids(slate)


def test_without_explain_there_is_no_trace(door):
    assert "trace" not in ask(door, seed="mug")


def test_every_score_can_be_worked_out_from_the_trace(door):
    trace = ask(door, seed="mug", count=5, explain="true")["trace"]
    lists = {one["strategy"]: one for one in trace["strategies"]}
    for item in trace["items"]:
        total = 0.0
        for share in item["shares"]:
            worth = share["weight"] * share["raw"]
            if item["rung"] == "strategies":
                assert share["share"] == pytest.approx(worth / lists[share["strategy"]]["best"])
            total += share["share"]
        assert item["score"] == pytest.approx(total * item["factor"])


def test_replay_brings_back_the_slate_after_catalogue_events_and_build_have_changed(door):
    visitor = "replayed"
    door.send({"event_id": "rv", "type": "view", "visitor": visitor, "product": "mug"})
    home = door.get("/v1/recommendations/home", visitor=visitor, count=4).json()
    slate = ask(door, seed="mug", visitor=visitor, count=4)
    rising = {"strategies": [{"retriever": "trending"}], "fallback": [{"retriever": "popular"}]}
    assert door.call("PUT", "/v1/placements/rising", rising).status == 200
    busy = door.get("/v1/recommendations/rising", count=4).json()
    assert busy["items"]
    assert "vase" not in ids(slate)[:3]
    # Everything moves on: stock, a new product, more events of the visitor, another snapshot.
    door.put_product("plate", title="Plate", price="6.00", stock=0)
    door.put_product("new", title="New", price="1.00", stock=9)
    door.send(
        {"event_id": "rv2", "type": "view", "visitor": visitor, "product": "rug"},
        *(
            {
                "event_id": f"later{n}",
                "type": "purchase",
                "visitor": f"late-{n}",
                "products": [{"id": "mug", "quantity": 1}, {"id": "vase", "quantity": 1}],
            }
            for n in range(20)
        ),
    )
    door.build()
    assert ids(ask(door, seed="mug", visitor=visitor, count=4)) != ids(slate)
    for served in (slate, home, busy):
        replay = door.get(f"/v1/recommendations/{served['token']}/replay").json()
        assert replay["served"] == ids(served)
        assert [item["id"] for item in replay["items"]] == ids(served)
        assert replay["exact"] is True
        scores = [item["score"] for item in served["items"]]
        assert [item["score"] for item in replay["items"]] == pytest.approx(scores)
    door.put_product("plate", title="Plate", price="5.00", stock=9)


def why_not(door, slate, product):
    return door.get(f"/v1/recommendations/{slate['token']}/why-not/{product}").json()


def test_why_not_names_the_first_thing_and_the_value_it_lacked(door):
    door.put_product("gone", title="Gone", price="1.00", stock=0)
    slate = ask(door, seed="mug", cart="lamp", count=2, exclude="rug")
    assert why_not(door, slate, "gone")["by"] == "available"
    assert "stock 0" in why_not(door, slate, "gone")["why"]
    assert why_not(door, slate, "lamp")["by"] == "not_in_cart"
    assert why_not(door, slate, "rug")["by"] == "excluded"
    assert why_not(door, slate, "mug")["by"] == "seed"
    assert why_not(door, slate, "nothing")["by"] == "catalogue"
    shown = why_not(door, slate, ids(slate)[0])
    assert shown["shown"] is True
    assert shown["position"] == 1


def test_why_not_of_what_was_outranked(door):
    slate = ask(door, seed="mug", count=1)
    low = next(i for i in ("bowl", "rug", "lamp", "plate") if i not in ids(slate))
    answer = why_not(door, slate, low)
    assert answer["by"] == "rank"
    assert "the slate has 1 slots" in answer["why"]


def test_the_trace_names_what_eligibility_removed(door):
    trace = ask(door, seed="mug", cart="plate", explain="true")["trace"]
    removed = {entry["id"]: entry["by"] for entry in trace["removed"]}
    assert removed["plate"] == "not_in_cart: it is in the cart"


def test_an_unknown_token_is_not_found(door):
    for path in ("trace", "replay", "why-not/mug"):
        answer = door.get(f"/v1/recommendations/nobody/{path}")
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_parameters_of_a_placement_name_everything_that_runs(door):
    placement = door.get("/v1/placements/product").json()["placement"]
    answer = door.get("/v1/placements/product/parameters").json()
    told = [(one["kind"], one["name"]) for one in answer["parameters"]]
    expected = [("strategy", s["retriever"]) for s in placement["strategies"]]
    expected += [("filter", f["filter"]) for f in placement["filters"]]
    expected += [("order", r["reranker"]) for r in placement["rerankers"]]
    expected += [("fallback", f["retriever"]) for f in placement["fallback"]]
    assert told == expected
    shares = [one["importance"] for one in answer["parameters"] if one["kind"] == "strategy"]
    assert sum(shares) == pytest.approx(1, abs=0.01)
    assert all(one["text"].endswith(".") for one in answer["parameters"])
    assert "personalization=off" in answer["choice"]


def test_the_parameters_follow_the_live_configuration(door):
    body = {
        "title": "Only best sellers",
        "personal": False,
        "strategies": [{"retriever": "popular", "window": "7d"}],
    }
    assert door.call("PUT", "/v1/placements/told", body).status == 200
    answer = door.get("/v1/placements/told/parameters").json()
    assert [one["name"] for one in answer["parameters"]] == ["popular"]
    assert answer["parameters"][0]["options"]["window"] == "7d"
    assert "nothing about the visitor is read" in answer["choice"]
