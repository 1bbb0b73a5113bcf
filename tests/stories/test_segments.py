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
