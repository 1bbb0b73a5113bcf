"""The first visit to a shop that opened today: no event, no build, no name; every slate is full."""

import pytest

READY = (
    "home",
    "product",
    "cart",
    "order",
    "trending",
    "popular",
    "similar",
    "also_bought",
    "upgrades",
)


@pytest.fixture(scope="module")
def story(shop):
    for n in range(30):
        shop.put(
            f"p{n:02}",
            categories=[f"Things > {('Round', 'Square')[n % 2]}"],
            price=f"{5 + n}.00",
            stock=n % 3,
        )
    return shop


@pytest.mark.parametrize("placement", READY)
def test_every_ready_placement_is_full(story, placement):
    items = story.items(placement, seed="p01", cart="p02", count=6)
    shown = [item["id"] for item in items]
    assert len(set(shown)) == 6
    assert not {"p01"} & set(shown)
    assert all(int(one[1:]) % 3 for one in shown)  # a third of the shop is sold out
    assert all(item["reasons"] for item in items)


@pytest.fixture(scope="module")
def built(story):
    story.build()
    return story


@pytest.mark.parametrize("placement", READY)
def test_and_after_a_build_of_an_empty_log_too(built, placement):
    assert len(built.items(placement, visitor="first-ever", seed="p01", count=6)) == 6


def test_nothing_is_claimed_that_was_not_counted(story):
    for placement in READY:
        for item in story.items(placement, seed="p01"):
            assert item["badges"] == [] or {b["type"] for b in item["badges"]} <= {"low_stock"}
    assert story.door.get("/v1/trending").json()["data"] == []
    assert story.shown("recently_viewed", visitor="first-ever") == []
