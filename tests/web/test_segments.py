"""Traits and segments of visitors, worked out live, through HTTP."""

import pytest

from door import open_door

DAY = 24 * 3_600_000
START = 1_790_000_000_000


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def shop(tmp_path):
    clock = Clock()
    with open_door(tmp_path, clock=clock) as door:
        door.clock = clock
        door.put_product("mug", title="Mug", categories=["Home > Kitchen"], price="10.00")
        door.put_product("lamp", title="Lamp", categories=["Home > Living"], price="200.00")
        yield door


def visitor(door, name):
    answer = door.get(f"/v1/visitors/{name}")
    assert answer.status == 200, answer
    return answer.json()


def buys(door, name, *orders):
    door.send(
        *(
            {"type": "purchase", "visitor": name, "order": f"{name}-{n}", "event_id": f"{name}-{n}",
             "products": [{"id": "mug", "quantity": 2, "price": price}],
             "context": {"zone": "DE", "device": "phone"}}
            for n, price in enumerate(orders)
        )
    )  # fmt: skip


def test_traits_follow_each_event(shop):
    stranger = visitor(shop, "nobody")
    assert stranger["segments"] == []
    assert stranger["traits"]["orders"] == 0
    shop.send({"type": "view", "visitor": "ann", "product": "mug"})
    assert visitor(shop, "ann")["segments"] == ["new"]
    shop.send({"type": "view", "visitor": "ann", "product": "lamp"})
    shop.send({"type": "cart_add", "visitor": "ann", "product": "lamp"})
    buys(shop, "ann", "10.00", "20.50")
    found = visitor(shop, "ann")
    assert found["segments"] == []
    assert found["traits"] | {"tags": []} == {
        "orders": 2,
        "spend": "61.00",
        "currency": "GBP",
        "days_since_seen": 0.0,
        "days_since_first_seen": 0.0,
        "days_since_order": 0.0,
        "favourite_category": "Home > Kitchen",
        "device": "phone",
        "zone": "DE",
        "tags": [],
    }
    shop.send({"type": "refund", "visitor": "ann", "order": "ann-0",
               "products": [{"id": "mug", "quantity": 1, "price": "10.00"}]})  # fmt: skip
    assert visitor(shop, "ann")["traits"]["spend"] == "51.00"


def test_time_alone_moves_a_visitor_between_segments(shop):
    buys(shop, "ben", *["100.00"] * 3)
    assert visitor(shop, "ben")["segments"] == ["big_spender", "loyal"]
    shop.clock.now += 181 * DAY
    found = visitor(shop, "ben")
    assert found["segments"] == ["big_spender", "lapsed"]
    assert found["traits"]["days_since_order"] == 181.0


def test_totals_do_not_hang_on_the_events_that_are_kept(shop):
    buys(shop, "cleo", *["10.00"] * 3)
    for start in range(0, 150, 50):
        shop.send(
            *(
                {"type": "view", "visitor": "cleo", "product": "mug", "event_id": f"v{n}"}
                for n in range(start, start + 50)
            )
        )
    live = visitor(shop, "cleo")
    assert (live["traits"]["orders"], live["traits"]["spend"]) == (3, "60.00")
    # Read again from the log, as after a start: the same.
    visitors = shop.installation.recommender._visitors
    visitors._states.clear()
    assert visitor(shop, "cleo") == live


def test_the_shop_tags_visitors(shop):
    answer = shop.call("PUT", "/v1/visitors/dan/tags", {"tags": ["vip", "trade"]})
    assert answer.json()["traits"]["tags"] == ["trade", "vip"]
    shop.call("PUT", "/v1/segments/vips", {"when": "'vip' in visitor.tags"})
    assert visitor(shop, "dan")["segments"] == ["vips"]
    shop.call("PUT", "/v1/visitors/dan/tags", {"tags": []})
    assert visitor(shop, "dan")["segments"] == []
    bad = shop.call("PUT", "/v1/visitors/dan/tags", {"tags": [""]})
    assert (bad.status, bad.json()["errors"][0]["pointer"]) == (422, "/tags/0")


def test_segments_are_versioned_and_checked(shop):
    names = [s["name"] for s in shop.get("/v1/segments").json()["data"]]
    assert names == ["big_spender", "lapsed", "loyal", "new"]
    fans = {"title": "Fans", "when": "visitor.favourite_category.startsWith('Home > K')"}
    stored = shop.call("PUT", "/v1/segments/fans?note=first", fans).json()
    assert stored["version"] == 1
    assert stored["note"] == "first"
    assert stored["english"] == "the visitor's favourite category begins with “Home > K”"
    shop.send({"type": "view", "visitor": "eve", "product": "mug"})
    assert visitor(shop, "eve")["segments"] == ["fans", "new"]
    shop.call("PUT", "/v1/segments/fans", {"when": "visitor.orders > 5"})
    assert visitor(shop, "eve")["segments"] == ["new"]
    versions = shop.get("/v1/segments/fans/versions").json()["data"]
    assert [v["version"] for v in versions] == [2, 1]
    old = shop.get("/v1/segments/fans", version=1).json()
    assert old["segment"]["when"] == fans["when"]
    stale = shop.call("PUT", "/v1/segments/fans", fans, [("If-Match", '"1"')])
    assert stale.status == 409
    assert shop.call("DELETE", "/v1/segments/fans").status == 204
    assert shop.get("/v1/segments/fans").status == 404


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("visitor.order > 3", "did you mean `orders`?"),
        ("product.price > 3", "reads the visitor and the time"),
        ("visitor.segment('loyal')", "cannot ask for segments"),
        ("visitor.orders", "a bool is needed"),
    ],
)
def test_a_wrong_condition_is_refused(shop, when, words):
    answer = shop.call("PUT", "/v1/segments/x", {"when": when})
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/when"
    assert words in answer.json()["errors"][0]["message"]
