"""A coffee shop: machines, beans and pods; what goes together, what comes next, what is due."""

import pytest


def coffee(story):
    def machine(id, price, **fields):
        story.put(
            id,
            categories=["Coffee > Machines"],
            price=price,
            attributes={"kind": "espresso", **fields.pop("attributes", {})},
            **fields,
        )

    machine("basic", "100.00", brand="Krup", rating=4.0, rating_count=40)
    machine("better", "130.00", brand="Krup", rating=4.6, rating_count=60)
    machine("best", "155.00", brand="Lav", rating=4.8, rating_count=30)
    machine("luxury", "600.00", brand="Lav", rating=4.9, rating_count=10)
    machine("plain", "85.00", brand="Zen", rating=3.9, rating_count=25)
    machine("worse", "110.00", brand="Zen", rating=3.0, rating_count=90)
    story.put(
        "descaler", categories=["Coffee > Care"], price="8.00", attributes={"for": "machines"}
    )
    story.put("filter", categories=["Coffee > Care"], price="6.00")
    story.put("beans", categories=["Coffee > Beans"], price="12.00")
    story.put("pods", categories=["Coffee > Pods"], price="9.00")
    story.put("cups", categories=["Coffee > Cups"], price="20.00")
    story.put("grinder", categories=["Coffee > Grinders"], price="45.00")
    story.put(
        "starter-kit",
        categories=["Coffee > Sets"],
        price="140.00",
        links={"bundle": [{"id": "basic"}, {"id": "grinder"}, {"id": "beans", "quantity": 2}]},
    )
    story.change("basic", links={"accessories": ["filter", "descaler"]})
    story.change("plain", links={"upgrades": ["best"]})
    orders = []
    for n in range(8):
        orders.append(story.event("purchase", f"a{n}", "basic", "beans", days=40 + n))
        orders.append(story.event("purchase", f"b{n}", "grinder", "beans", days=40 + n))
    orders += [story.event("purchase", f"c{n}", "basic", "cups", days=50 + n) for n in range(4)]
    orders += [story.event("purchase", f"d{n}", "basic", "plain", days=50 + n) for n in range(6)]
    orders += [story.event("purchase", f"e{n}", "filter", days=50 + n) for n in range(12)]
    # Three customers come back for pods about every 30 days.
    for visitor, days in (("r1", (91, 61, 31)), ("r2", (95, 66, 36)), ("r3", (80, 49))):
        orders += [story.event("purchase", visitor, "pods", days=day) for day in days]
    orders.append(story.event("purchase", "once", "pods", days=31))
    orders.append(story.event("purchase", "fresh", "pods", days=5))
    story.send(*orders)
    story.build()


@pytest.fixture(scope="module")
def story(shop):
    coffee(shop)
    return shop


def test_bought_together_takes_the_cart_as_a_set(story):
    story.placement("together", {"retriever": "bought_together", "around": "cart"})
    # Beans go with the machine and with the grinder: with both in the cart they lead.
    shown = story.shown("together", cart="basic,grinder")
    assert shown[0] == "beans"
    reason = story.reasons("together", cart="basic,grinder")["beans"]
    assert reason["counts"]["goes_with"] == 2
    assert reason["counts"]["pairs"] == 8
    assert "in 8 orders" in reason["text"]


def test_bought_together_prefers_other_categories(story):
    story.placement("together", {"retriever": "bought_together", "around": "cart"})
    story.placement(
        "as-counted", {"retriever": "bought_together", "around": "cart", "same_category": 1.0}
    )
    # Six baskets held a second machine, four held cups: as a complement the cups come first.
    counted = [p for p in story.shown("as-counted", cart="basic") if p in ("plain", "cups")]
    shown = [p for p in story.shown("together", cart="basic") if p in ("plain", "cups")]
    assert counted == ["plain", "cups"]
    assert shown == ["cups", "plain"]


def test_complements_start_with_the_links_made_by_hand(story):
    reasons = story.reasons("complements", seed="basic")
    assert list(reasons)[:2] == ["filter", "descaler"]
    assert set(reasons) == {"filter", "descaler", "beans", "cups"}  # no other machine
    assert reasons["filter"]["code"] == "accessory"
    assert reasons["filter"]["counts"] == {"seed": "basic", "linked": 1}
    assert reasons["beans"]["code"] == "complement"
    assert reasons["beans"]["counts"]["pairs"] == 8


def test_what_goes_with_what_you_own(story):
    story.placement("owned", {"retriever": "complements", "around": "owned"})
    reasons = story.reasons("owned", visitor="d0")
    assert "which you bought" in reasons["filter"]["text"]
    assert list(story.reasons("owned", visitor="stranger")) == []


def test_upgrades_are_bundles_and_better_machines(story):
    reasons = story.reasons("upgrades", seed="basic")
    kinds = {one: reason["code"] for one, reason in reasons.items() if reason["code"] != "popular"}
    assert kinds["starter-kit"] == "bundle"
    assert kinds["better"] == kinds["best"] == "upgrade"
    # Much too dear, worse, and cheaper are no step up.
    own = story.shown("upgrades", seed="basic")
    assert own == ["starter-kit", "better", "best"]
    bundle = reasons["starter-kit"]["counts"]
    assert bundle["singly"] == "169.00 GBP"  # 100 + 45 + 2 x 12
    assert bundle["saving"] == "29.00 GBP"
    assert reasons["better"]["counts"]["rating"] == 4.6
    assert reasons["better"]["counts"]["seed_price"] == "100.00 GBP"


def test_a_link_made_by_hand_is_the_first_upgrade(story):
    assert story.shown("upgrades", seed="plain")[0] == "best"
    assert story.reasons("upgrades", seed="plain")["best"]["counts"]["linked"] == 1


def test_alternatives_cheaper_and_dearer(story):
    story.placement("cheaper", {"retriever": "alternatives", "price": "cheaper"})
    story.placement("dearer", {"retriever": "alternatives", "price": "dearer"})
    cheaper, dearer = story.shown("cheaper", seed="basic"), story.shown("dearer", seed="basic")
    assert cheaper == ["plain"]
    assert set(dearer) == {"better", "worse"}
    reason = story.reasons("cheaper", seed="basic")["plain"]
    assert reason["text"] == "Like Basic, 15 % cheaper"
    assert reason["counts"]["price"] == "85.00 GBP"
    assert set(story.shown("alternatives", seed="basic")) == {"plain", "better", "worse"}


def test_buy_again_when_it_is_due(story):
    reasons = story.reasons("buy_again", visitor="once")
    assert list(reasons) == ["pods"]
    counts = reasons["pods"]["counts"]
    assert counts["basis"] == "product"
    assert counts["interval_days"] == 30
    assert counts["intervals"] == 5
    assert counts["days_since"] == 31
    assert story.shown("buy_again", visitor="fresh") == []
    own = story.reasons("buy_again", visitor="r1")["pods"]["counts"]
    assert (own["basis"], own["interval_days"], own["times_bought"]) == ("visitor", 30, 3)


def test_what_is_owned_can_be_left_out_for_good(story):
    both = {"retriever": "popular", "window": "365d"}
    story.placement("once-each", both, filters=[{"filter": "not_owned"}], slots=20)
    story.placement("again-too", both, filters=[{"filter": "not_bought"}], slots=20)
    # Bought 40 days ago: it may come back, unless one buys it once.
    assert "basic" in story.shown("again-too", visitor="a0")
    assert "basic" not in story.shown("once-each", visitor="a0")
    assert "basic" in story.shown("once-each", visitor="b0")


def test_cheap_things_from_another_category_by_filter(story):
    story.placement(
        "near-in-price",
        {"retriever": "popular", "window": "365d"},
        filters=[{"filter": "price_band", "low": 0.5, "high": 1.2}, {"filter": "other_category"}],
    )
    assert set(story.shown("near-in-price", seed="beans")) == {"pods", "filter"}
    slate = story.slate("near-in-price", seed="basic")
    assert slate["items"] == []
