"""A toy shop: bought by the same people, looked at in the same visits, alike; and a restart."""

import pytest
from story import START, Story

from door import open_door


def toys(story):
    for n, colour in enumerate(("red", "red", "blue", "green")):
        story.put(
            f"car-{n}",
            categories=["Toys > Cars"],
            brand="Vroom",
            price="10.00",
            attributes={"colour": colour, "wheels": "rubber"},
        )
    story.put("track", categories=["Toys > Tracks"], price="30.00")
    story.put("doll", categories=["Toys > Dolls"], price="12.00")
    events = []
    for n in range(6):
        # The same person buys the track some days after the car: another order.
        events.append(story.event("purchase", f"a{n}", "car-0", days=20))
        events.append(story.event("purchase", f"a{n}", "track", days=10))
    for n in range(4):
        events += [
            story.event("view", f"b{n}", "car-0", session=f"b{n}", days=3.01),
            story.event("view", f"b{n}", "car-3", session=f"b{n}", days=3),
        ]
    events += [story.event("purchase", f"c{n}", "doll", days=5) for n in range(20)]
    events += [story.event("view", f"d{n}", "doll", session=f"d{n}", days=5) for n in range(20)]
    story.send(*events)
    story.build()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("toys")


@pytest.fixture(scope="module")
def story(folder):
    clock = [START]
    with open_door(folder, clock=lambda: clock[0]) as door:
        story = Story(door, clock)
        toys(story)
        yield story


def test_also_bought_joins_orders_of_one_person(story):
    reasons = story.reasons("also_bought", seed="car-0")
    first = next(iter(reasons))
    assert first == "track"
    assert reasons["track"]["text"] == "6 customers who bought Car 0 also bought this"
    counts = reasons["track"]["counts"]
    assert (counts["pairs"], counts["seed_total"], counts["total"]) == (6, 6, 6)
    assert counts["lift"] == pytest.approx(26 / 6, abs=0.01)


def test_also_viewed_joins_what_one_visit_looked_at(story):
    story.placement("viewed", {"retriever": "also_viewed", "around": "seed"})
    reasons = story.reasons("viewed", seed="car-0")
    assert list(reasons) == ["car-3"]
    assert reasons["car-3"]["text"] == "Viewed together with Car 0 in 4 visits"


def test_similar_by_rare_attributes_in_common(story):
    assert story.shown("similar", seed="car-0", count=1) == ["car-1"]
    reason = story.reasons("similar", seed="car-0")["car-1"]
    assert (
        reason["counts"]["shared"]
        > story.reasons("similar", seed="car-0")["car-2"]["counts"]["shared"]
    )
    assert reason["counts"]["closeness"] == 1.0


def test_what_is_new_and_who_is_who_outlives_a_restart(folder, tmp_path):
    clock = [START]
    with open_door(tmp_path, clock=lambda: clock[0]) as door:
        story = Story(door, clock)
        for n in range(3):
            story.put(f"p{n}", price="10.00", stock=0 if n == 1 else 5)
            story.later(days=1)
        # Changed last, but not new; back in stock; cheaper.
        story.change("p0", price="8.00")
        story.change("p1", stock=7)
        story.does("view", "browser", "p2")
        assert door.post("/v1/visitors:merge", {"from": "browser", "to": "anna"}).status == 200
        door.call("PUT", "/v1/lists/picks", {"products": ["p2", "p0"]})
        door.call("PATCH", "/v1/visitors/anna/profile", {"muted": ["price:5-10"]})
        before = story.items("new_arrivals")
    with open_door(tmp_path, clock=lambda: clock[0]) as door:
        story = Story(door, clock)
        after = story.items("new_arrivals")
        assert [item["id"] for item in after] == ["p2", "p1", "p0"]
        assert [item["badges"] for item in after] == [item["badges"] for item in before]
        badges = story.badges("new_arrivals")
        assert "price_drop" in badges["p0"]
        assert "back_in_stock" in badges["p1"]
        assert story.shown("recently_viewed", visitor="anna") == ["p2"]
        assert door.get("/v1/visitors/anna/profile").json()["muted"] == ["price:5-10"]
        story.placement("picks", {"retriever": "curated", "list": "picks"})
        assert story.shown("picks") == ["p2", "p0"]
