"""Slates given again: the same as made anew, each with its own token, and never out of date."""

import itertools
import random
import time

import pytest

from door import open_door
from endcap.core.request import RecommendationRequest
from endcap.services.placements import ready_placements

numbers = itertools.count()
PRODUCTS = [f"p{n}" for n in range(24)]


def stock(door):
    for n, product in enumerate(PRODUCTS):
        category, price = f"Shop > {'ABC'[n % 3]}", f"{5 + n}.00"
        door.put_product(
            product, title=f"Product {n}", categories=[category], price=price, stock=9, brand="B"
        )
    chosen = random.Random(7)
    for visitor in range(40):
        session = chosen.sample(PRODUCTS, 5)
        events = [
            {"type": "view", "product": product, "session": f"s{visitor}"} for product in session
        ]
        bought = [{"id": product, "quantity": 1, "price": "5.00"} for product in session[:2]]
        events += [{"type": "cart_add", "product": session[3]}]
        events += [{"type": "purchase", "products": bought, "order": f"o{visitor}"}]
        door.send(
            *(
                {"event_id": f"e{next(numbers)}", "visitor": f"v{visitor}", **event}
                for event in events
            )
        )
    door.build()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """With moments so long that a slow machine makes no difference."""
    folder = tmp_path_factory.mktemp("shop")
    with open_door(folder, slate_seconds=60, keep_served_days=30) as door:
        stock(door)
        yield door


@pytest.fixture
def found(shop):
    """What was counted since the test began."""
    before = dict(shop.installation.access.slates.found)
    return lambda: {
        source: count - before[source]
        for source, count in shop.installation.access.slates.found.items()
    }


def asked(shop, placement="popular", **query):
    answer = shop.get(f"/v1/recommendations/{placement}", **query)
    assert answer.status == 200, answer
    return answer.json()


def bare(slate):
    return {name: value for name, value in slate.items() if name != "token"}


def seen_by_two(shop, **query):
    """One slate for a stranger, and what somebody else gets right after.

    What is asked for the first time is not kept, so it was asked before.
    """
    asked(shop, **query)
    return asked(shop, **query), asked(shop, visitor=f"new-{next(numbers)}", **query)


def test_each_has_its_own_token_and_its_own_record(shop, found):
    slates = [asked(shop, visitor=f"w{n}", session=f"s{n}", zone="NO") for n in range(5)]
    assert found()["memory"] >= 3
    assert len({slate["token"] for slate in slates}) == 5
    assert all(bare(slate) == bare(slates[0]) for slate in slates)
    shop.run(shop.installation.served.flush())
    log, pseudonyms = shop.installation.store.events, shop.installation.recommender._pseudonyms
    for n, slate in enumerate(slates):
        event = log.find("default", "endcap", slate["token"])
        assert event.visitor == pseudonyms.visitor("default", f"w{n}")
        assert event.session == pseudonyms.session("default", f"s{n}")
        assert [line.product for line in event.lines] == [item["id"] for item in slate["items"]]
        assert len(event.served.slots) == len(event.lines)
        assert (event.zone, event.placement) == ("NO", "popular")


def test_each_can_be_explained_and_made_again(shop, found):
    for _ in range(2):
        asked(shop, "similar", seed="p3")
    slate = asked(shop, "similar", seed="p3", visitor="someone")
    assert found()["memory"] == 1
    path = f"/v1/recommendations/{slate['token']}"
    again = shop.get(f"{path}/replay").json()
    assert again["exact"] is True
    assert again["differences"] == []
    assert [item["score"] for item in again["items"]] == [item["score"] for item in slate["items"]]
    assert shop.get(f"{path}/why-not/p3").json()["by"] == "seed"
    assert shop.get(f"{path}/trace").status == 200


def test_a_click_on_it_is_credited_to_its_own_token(shop, found):
    for _ in range(2):
        asked(shop)
    slate = asked(shop, visitor="clicker")
    assert found()["memory"] >= 1
    product = slate["items"][0]["id"]
    click = {"event_id": "own-click", "type": "click", "visitor": "clicker", "product": product}
    answer = shop.send({**click, "token": slate["token"]})
    assert answer["accepted"] == 1
    assert answer["results"][0].get("reason") is None


def test_a_price_is_new_in_the_next_answer(shop, found):
    def price():
        return {
            item["product"]["price"]
            for slate in seen_by_two(shop, category="Shop > A")
            for item in slate["items"]
            if item["id"] == "p0"
        }

    for n in range(10):
        changed = shop.call("PATCH", "/v1/products/p0", {"price": f"{n + 1}.50"})
        assert changed.status == 200
        assert price() == {f"{n + 1}.50"}
    assert found()["memory"] >= 10
    assert shop.call("PATCH", "/v1/products/p0", {"stock": 0}).status == 200
    assert price() == set()
    assert shop.call("PATCH", "/v1/products/p0", {"stock": 5}).status == 200
    assert price() == {"10.50"}


def ids(slates):
    return [[item["id"] for item in slate["items"]] for slate in slates]


def test_a_rule_holds_in_the_next_answer(shop):
    first = ids(seen_by_two(shop))[0][0]
    rule = {"effect": {"type": "filter", "mode": "never"}, "where": f"product.id == '{first}'"}
    assert shop.call("PUT", "/v1/rules/never", rule).status in (200, 201)
    assert all(slate[0] == first for slate in ids(seen_by_two(shop)))
    assert shop.post("/v1/rules/never/publish?force=true").status == 200
    assert not any(first in slate for slate in ids(seen_by_two(shop)))
    assert shop.call("DELETE", "/v1/rules/never").status in (200, 204)
    assert all(slate[0] == first for slate in ids(seen_by_two(shop)))


def test_a_placement_and_a_list_hold_in_the_next_answer(shop, found):
    def put(path, body):
        assert shop.call("PUT", path, body).status in (200, 201)

    put("/v1/lists/chosen", {"products": ["p9", "p8"]})
    put(
        "/v1/placements/mine",
        {"slots": 2, "strategies": [{"retriever": "curated", "list": "chosen"}]},
    )
    assert ids(seen_by_two(shop, placement="mine")) == [["p9", "p8"]] * 2
    put("/v1/lists/chosen", {"products": ["p8", "p7"]})
    assert ids(seen_by_two(shop, placement="mine")) == [["p8", "p7"]] * 2
    put(
        "/v1/placements/mine",
        {"slots": 1, "strategies": [{"retriever": "curated", "list": "chosen"}]},
    )
    assert ids(seen_by_two(shop, placement="mine")) == [["p8"]] * 2
    # Nobody said that this placement reads nothing of its visitor: it was seen.
    assert found()["memory"] >= 3


def test_a_rule_about_the_visitor_makes_it_personal(shop, found):
    rule = {
        "effect": {"type": "pin", "products": ["p20"], "slot": 1},
        "when": "'vip' in visitor.tags",
        "placements": ["home"],
    }
    placement = {"slots": 3, "strategies": [{"retriever": "popular"}]}
    assert shop.call("PUT", "/v1/placements/best", placement).status in (200, 201)
    assert shop.call("PUT", "/v1/visitors/rich/tags", {"tags": ["vip"]}).status == 200
    before = ids([asked(shop, "best", visitor=who) for who in ("a", "rich", "b")])
    assert (before[0] == before[1] == before[2]) and found()["memory"] == 1
    rule["placements"] = ["best"]
    assert shop.call("PUT", "/v1/rules/vips", rule).status in (200, 201)
    assert shop.post("/v1/rules/vips/publish?force=true").status == 200
    for who, first in (("a", before[0][0]), ("rich", "p20"), ("b", before[0][0]), ("rich", "p20")):
        assert ids([asked(shop, "best", visitor=who)])[0][0] == first
    assert found()["memory"] == 1
    assert shop.call("DELETE", "/v1/rules/vips").status in (200, 204)


def test_an_offer_or_an_explanation_is_made_for_each(shop, found):
    offer = {"title": "Ten off", "placements": ["popular"], "products": ["p1"], "budget": 3,
             "discount": {"percent": 10}}  # fmt: skip
    assert shop.call("PUT", "/v1/offers/ten", offer).status in (200, 201)
    made = [bool(asked(shop, visitor=f"o{n}", count=24)["offers"]) for n in range(6)]
    assert sum(made) == 3
    assert shop.call("DELETE", "/v1/offers/ten").status in (200, 204)
    assert found()["memory"] == 0
    for _ in range(3):
        assert "trace" in asked(shop, explain="true")
        asked(shop, as_of="2026-12-24T18:00:00Z")
    assert found()["memory"] == 0


def plain(slate):
    """All that a shopper sees of it."""
    return [
        (
            item.id,
            round(item.score, 5),
            item.rung,
            [(reason.code, reason.text) for reason in item.reasons],
            [badge.type for badge in item.badges],
            bytes(item.product),
        )
        for item in slate.items
    ] + [slate.fallback]


def test_given_again_or_made_anew_it_is_the_same(shop, found):
    """Random requests, with and without: whatever placements read, nobody gets another's."""
    recommender = shop.installation.recommender
    slates = recommender._slates
    chosen = random.Random(11)
    placements = sorted(ready_placements())
    compared, differ = 0, []

    async def both(request):
        recommender._slates = slates
        one = await recommender.recommend("default", request)
        recommender._slates = None
        two = await recommender.recommend("default", request)
        recommender._slates = slates
        return one, two

    for _ in range(1_500):
        request = RecommendationRequest(
            placement=chosen.choice(placements),
            visitor=chosen.choice([None, "v1", "v2", "v3", "v4", "unknown"]),
            seed=chosen.choice([[], ["p1"], ["p2"]]),
            cart=chosen.choice([None, None, [], ["p5"]]),
            zone=chosen.choice([None, None, None, "NO"]),
            count=chosen.choice([None, None, 3]),
            category=chosen.choice([None, None, None, "Shop > A"]),
            sort=chosen.choice([None, None, None, "price"]),
        )
        if compared % 10 == 0:
            slates._personal.clear()  # What is known to be personal is not even looked for.
        one, two = shop.run(both(request))
        compared += 1
        if plain(one) != plain(two):
            differ.append(request)
    assert compared == 1_500
    assert differ == []
    assert found()["memory"] >= 100
    assert found()["made"] >= 100


def test_without_the_setting_none_is_kept(tmp_path):
    with open_door(tmp_path, slate_seconds=0) as door:
        door.put_product("a", title="A", price="1.00", stock=1)
        assert door.installation.access.slates is None
        assert door.shown("popular") == door.shown("popular") == ["a"]


def test_sales_show_and_a_moment_ends(tmp_path):
    """With the log followed: a few events show at once, and nothing is older than its moment."""
    with open_door(tmp_path, slate_seconds=0.5, serving=True, build_every=0) as door:
        for product in "abc":
            door.put_product(product, title=product, price="1.00", stock=9)
        for n, product in enumerate("aabbbccccc"):
            bought = {"event_id": f"b{n}", "type": "purchase", "visitor": f"v{n}"}
            door.send({**bought, "products": [{"id": product}]})
            asked(door)
        begun = time.monotonic()
        while door.shown("popular") != ["c", "b", "a"]:
            assert time.monotonic() - begun < 10
        slates = door.installation.access.slates
        kept, made = slates.found["memory"], slates.found["made"]
        assert kept
        time.sleep(0.6)
        asked(door)
        assert slates.found["made"] == made + 1
