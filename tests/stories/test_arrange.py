"""A clothes shop arranges its slates: caps, spread, variants, rotation, blending, what is owned."""

import pytest

BOUGHT = {"a1": 12, "a2": 11, "a3": 10, "a4": 9, "b1": 8, "b2": 7, "tee-red": 5, "tee-blue": 4}
COLOURS = {"a1": "red", "a2": "red", "a3": "blue", "a4": "blue", "b1": "red", "b2": "green"}
BEST = {"retriever": "popular"}


@pytest.fixture(scope="module")
def story(shop):
    for name, colour in COLOURS.items():
        brand = "Aga" if name.startswith("a") else "Bee"
        shop.put(
            name,
            brand=brand,
            categories=["Tops"],
            price="9.00",
            stock=50,
            attributes={"colour": colour},
        )
    for colour in ("red", "blue", "green"):
        shop.put(
            f"tee-{colour}",
            group="tee",
            categories=["Tees"],
            price="5.00",
            stock=0 if colour == "green" else 50,
            attributes={"colour": colour},
        )
    shop.send(
        *(
            shop.event("purchase", f"{name}-{n}", name, days=2)
            for name, times in BOUGHT.items()
            for n in range(times)
        ),
        *(
            shop.event("purchase", "regular", one, days=days)
            for days in (40, 33, 26)
            for one in ("a1", "tee-red")
        ),
    )
    shop.build()
    return shop


def arranged(story, name, *rerankers, strategies=(BEST,), **fields):
    story.placement(name, *strategies, rerankers=list(rerankers), slots=20, **fields)
    return lambda **query: story.shown(name, **query)


def test_caps_by_brand_and_by_an_attribute(story):
    by_brand = arranged(story, "brands", {"reranker": "cap", "by": "brand", "at_most": 2})
    assert by_brand() == ["a1", "a2", "b1", "b2", "tee-red", "tee-blue"]
    cap = {"reranker": "cap", "by": "attributes.colour", "at_most": 1}
    assert arranged(story, "colours", cap)() == ["a1", "a3", "b2"]


def test_what_is_alike_is_spread(story):
    plain, spread = (
        arranged(story, f"spread-{n}", {"reranker": "diversify", "strength": n})(count=3)
        for n in (0, 5)
    )
    assert plain == ["a1", "a2", "a3"]
    assert spread == ["a1", "tee-red", "b1"]


def test_a_group_shows_one_variant_the_chosen_colour_if_it_can_be_had(story):
    shown = arranged(story, "groups", {"reranker": "one_per_group"})
    assert [one for one in shown() if one.startswith("tee")] == ["tee-red"]
    assert [one for one in shown(seed="a3") if one.startswith("tee")] == ["tee-blue"]
    assert [one for one in shown(seed="b2") if one.startswith("tee")] == ["tee-red"], "sold out"
    story.change("tee-red", stock=0)
    assert [one for one in shown() if one.startswith("tee")] == ["tee-blue"]
    story.change("tee-red", stock=50)


def test_what_was_shown_often_without_a_click_sinks_and_recovers(story):
    shown = arranged(story, "turns", {"reranker": "rotate", "strength": 0.2})
    assert shown(visitor="idle", count=2) == ["a1", "a2"]
    story.send(*(story.event("impression", "idle", "a1", hours=n / 10) for n in range(4)))
    assert shown(visitor="idle", count=2) == ["a2", "a3"]
    assert shown(visitor="another", count=2) == ["a1", "a2"]
    story.later(days=5)
    assert shown(visitor="idle", count=2) == ["a1", "a2"]
    story.send(*(story.event("impression", "keen", "a1", hours=1) for _ in range(4)))
    story.does("click", "keen", "a1")
    assert shown(visitor="keen", count=2) == ["a1", "a2"], "a click begins anew"
    story.later(days=-5)


def test_blending_by_reciprocal_rank(story):
    picks = {"products": ["b2", "b1"]}
    assert story.door.call("PUT", "/v1/lists/picks", picks).status == 200
    both = (BEST, {"retriever": "curated", "list": "picks"})
    shown = arranged(story, "ranks", strategies=both, blend="reciprocal_rank")
    # Both lists have b1 and b2: 1/66 + 1/61 is more than 1/65 + 1/62, and that more than 1/61.
    assert shown(count=3) == ["b2", "b1", "a1"]
    score = {one["id"]: one["score"] for one in story.items("ranks", count=3)}
    assert score["b2"] == pytest.approx(1 / 66 + 1 / 61)
    assert score["a1"] == pytest.approx(1 / 61)


def test_what_was_bought_or_is_in_the_cart_stays_away_for_a_while(story):
    assert "a1" in story.shown("home", visitor="buyer", count=20)
    story.does("purchase", "buyer", {"id": "a1", "price": "9.00"})
    story.does("cart_add", "buyer", "a2")
    assert not {"a1", "a2"} & {one["id"] for one in story.items("home", visitor="buyer", count=20)}
    story.does("cart_remove", "buyer", "a2")
    assert "a2" in {one["id"] for one in story.items("home", visitor="buyer", count=20)}
    story.later(days=31)
    assert "a1" in {one["id"] for one in story.items("home", visitor="buyer", count=20)}
    story.later(days=-31)


def test_the_next_basket_of_a_regular_customer(story):
    story.placement("basket", {"retriever": "next_basket"}, slots=4)
    assert set(story.shown("basket", visitor="regular", count=2)) == {"a1", "tee-red"}
    reason = story.reasons("basket", visitor="regular")["a1"]
    assert reason["code"] == "next_basket"
    assert story.shown("basket", visitor="stranger") == []
