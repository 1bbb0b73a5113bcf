"""A gift shop on a quiet day, until a rush: what sells now is shown without waiting for a build."""

import time

import pytest
from story import story_in


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    with story_in(tmp_path_factory.mktemp("live"), serving=True, build_every=0) as story:
        for n in range(8):
            story.put(f"gift-{n}", categories=["Gifts"], brand="Box", price="9.00", stock=99)
        story.put("candle", categories=["Gifts > Light"], brand="Wax", price="7.00", stock=99)
        story.send(
            *(
                story.event("purchase", f"v{day}-{n}-{k}", f"gift-{n}", days=day + 0.5)
                for day in range(10)
                for n in range(4)
                for k in range(4 - n)
            ),
            story.event("view", "early", "candle", days=8),
        )
        story.build()
        yield story


def soon(check):
    """Ask again until it holds; the log is followed in the background."""
    for _ in range(200):
        found = check()
        if found:
            return found
        time.sleep(0.02)
        # The counters put an order together at most every quarter of a second of the shop's clock.
    return check()


def test_a_rush_shows_within_moments(story):
    assert story.shown("trending") == []
    assert story.shown("popular", count=2) == ["gift-0", "gift-1"]
    assert "candle" not in story.shown("popular", count=4)
    story.send(*(story.event("purchase", f"rush-{n}", "candle") for n in range(60)))

    def trending():
        story.later(hours=0.0001)
        return story.shown("trending") == ["candle"]

    assert soon(trending)
    counts = story.reasons("trending")["candle"]["counts"]
    assert counts["recent"] == 60
    assert counts["baseline"] == 1
    assert story.shown("popular", count=1) == ["candle"]
    reason = story.reasons("popular", count=1)["candle"]
    assert reason["counts"]["buyers"] == 60
    assert "trending" in story.badges("popular", count=1)["candle"]
    brands = story.door.get("/v1/trending", of="brands").json()["data"]
    assert [(one["name"], round(one["recent"])) for one in brands] == [("Wax", 60)]


def test_a_rush_in_one_zone_is_that_zones(story):
    events = [
        story.event("purchase", f"no-{n}", "gift-7", context={"zone": "NO"}) for n in range(6)
    ]
    story.send(*events)

    def first_in_norway():
        story.later(hours=0.0001)
        return story.shown("popular", zone="NO", count=1) == ["gift-7"]

    assert soon(first_in_norway)
    assert story.reasons("popular", zone="NO", count=1)["gift-7"]["counts"]["audience"] == "zone:NO"
    assert story.shown("popular", count=1) == ["candle"]


def test_the_rush_is_over_when_nobody_comes_any_more(story):
    story.later(days=3)
    assert story.shown("trending") == []
    story.build()
    assert story.shown("trending") == []
    # The counters still hold the rush, faded; what is printed are counts of the window.
    assert story.reasons("popular", count=1)["candle"]["counts"]["buyers"] == 60
    story.placement("today", {"retriever": "popular", "window": "1d"})
    assert all(r["counts"]["buyers"] == 0 for r in story.reasons("today").values())
    assert {r["text"] for r in story.reasons("today").values()} <= {"Popular in the shop"}
