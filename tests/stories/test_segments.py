"""A wine shop's customers by kind: what each kind buys most, and offers for one kind only."""

import pytest


def wines(story):
    for name in ("riesling", "malbec", "grappa", "cider"):
        story.put(name, categories=["Wine"], price="10.00", stock=99)
    events = []

    def order(visitor, product, price, days):
        events.append(story.event("purchase", visitor, {"id": product, "price": price}, days=days))

    for n in range(6):  # regulars come back for malbec
        for days in (5, 15, 25):
            order(f"regular-{n}", "malbec", "10.00", days)
    for n in range(9):  # many buy riesling once
        order(f"once-{n}", "riesling", "10.00", 8)
    for n in range(3):  # some spend much on grappa
        order(f"rich-{n}", "grappa", "600.00", 9)
    for n in range(4):  # and some have not been seen for long
        order(f"gone-{n}", "cider", "10.00", 200)
    events += [story.event("view", f"curious-{n}", "cider", days=2) for n in range(5)]
    story.send(*events)
    story.build()
    story.placement("for-your-kind", {"retriever": "popular", "among": "segment", "window": "365d"})


@pytest.fixture(scope="module")
def story(shop):
    wines(shop)
    return shop


@pytest.mark.parametrize(
    ("visitor", "segment", "first"),
    [
        ("regular-1", "loyal", "malbec"),
        ("rich-1", "big_spender", "grappa"),
        ("gone-1", "lapsed", "cider"),
        ("curious-1", "new", "cider"),
    ],
)
def test_best_sellers_of_the_visitors_own_kind(story, visitor, segment, first):
    item = story.items("for-your-kind", visitor=visitor, count=1)[0]
    assert item["id"] == first
    assert item["reasons"][0]["counts"]["audience"] == f"segment:{segment}"


def test_who_is_of_no_kind_sees_everyones(story):
    assert story.shown("for-your-kind", visitor="once-1", count=1) == ["riesling"]
    assert story.shown("for-your-kind", count=1) == ["riesling"]


def test_a_customer_becomes_loyal_with_the_third_order_and_the_offer_comes(story):
    answer = story.door.call(
        "PUT", "/v1/offers/thanks", {"segments": ["loyal"], "discount": {"percent": 15}}
    )
    assert answer.status == 200, answer

    def offered(visitor):
        return [one["name"] for one in story.slate("home", visitor=visitor)["offers"]]

    assert offered("regular-0") == ["thanks"]
    assert offered("once-0") == []
    assert offered("stranger") == []
    for _ in range(2):
        story.does("purchase", "once-0", {"id": "riesling", "price": "10.00"})
    assert offered("once-0") == ["thanks"]


def test_what_was_bought_before_the_login_counts_for_the_kind(story):
    for _ in range(3):
        story.does("purchase", "guest", {"id": "cider", "price": "10.00"})
    assert story.door.post("/v1/visitors:merge", {"from": "guest", "to": "member"}).status == 200
    story.placement(
        "offers-only", {"retriever": "promoted"}, fallback=[{"retriever": "new_arrivals"}]
    )
    names = [one["name"] for one in story.slate("offers-only", visitor="member")["offers"]]
    assert names == ["thanks"]


def test_best_sellers_of_a_segment_the_shop_defines(story):
    door = story.door
    when = "visitor.orders == 1 && visitor.days_since_order < 99 && visitor.spend < 100"
    for name, text in (("once_and_thrifty", when), ("nobody_yet", "visitor.device == 'fridge'")):
        assert door.call("PUT", f"/v1/segments/{name}", {"when": text}).status == 200
    story.put("perry", categories=["Wine"], price="8.00", stock=99)
    for n in range(1, 4):
        story.does("cart_add", f"once-{n}", "perry")
    # Until the next build nobody has counted for it, and the answer says so.
    before = story.items("for-your-kind", visitor="once-2", count=2)
    assert before[0]["reasons"][0]["counts"]["instead_of"] == "segment:once_and_thrifty"
    story.build()
    found = story.items("for-your-kind", visitor="once-2", count=4)
    assert [one["id"] for one in found][:2] == ["riesling", "perry"]
    counts = [one["reasons"][0]["counts"] for one in found]
    assert [one.get("audience") for one in counts][:2] == ["segment:once_and_thrifty"] * 2
    assert counts[0]["buyers"] == 8, "nine bought it once, one of whom came back since"
    assert "(once_and_thrifty)" in found[0]["reasons"][0]["text"]
    assert story.shown("for-your-kind", visitor="regular-1", count=1) == ["malbec"]
    # A ready segment that the shop writes anew is counted as the shop has it.
    door.call("PUT", "/v1/segments/loyal", {"when": "visitor.orders >= 3 && visitor.spend > 1000"})
    story.build()
    assert story.items("for-your-kind", visitor="rich-1", count=1)[0]["id"] == "grappa"
    regular = story.items("for-your-kind", visitor="regular-1", count=1)[0]
    assert "audience" not in regular["reasons"][0]["counts"]
