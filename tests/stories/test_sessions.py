"""A hobby shop's visits: what people go on to, what they come back to, and whom they are like."""

import pytest


@pytest.fixture(scope="module")
def story(shop):
    for name in ("kit", "paint", "brush", "glue", "book"):
        shop.put(name, categories=["Hobby"], price="4.00", stock=9)

    def visit(number, *products):
        return [
            shop.event("view", f"v{number}", one, session=f"s{number}", days=3, hours=-place / 60)
            for place, one in enumerate(products)
        ]

    number = 0
    for products, times in (
        (("kit", "paint", "kit"), 12),
        (("kit", "glue"), 4),
        (("paint", "brush"), 6),
        (("book", "glue"), 5),
    ):
        for _ in range(times):
            number += 1
            shop.send(*visit(number, *products))
    shop.build()
    shop.placement("next", {"retriever": "next_in_sequence"}, slots=4)
    shop.placement("back", {"retriever": "session_repeats"}, slots=4)
    shop.placement("alike", {"retriever": "session_neighbours"}, slots=4)
    return shop


def test_what_visitors_went_on_to_from_here(story):
    story.does("view", "now", "kit", session="today")
    asked = {"visitor": "now", "session": "today"}
    # Twelve went on to the paint and then back to the kit, four to the glue.
    assert story.shown("next", **asked) == ["paint", "kit", "glue"]
    reason = story.reasons("next", **asked)["paint"]
    assert reason["code"] == "next_in_sequence"
    # The order of clicks counts: nobody went on from the book to the kit.
    story.does("view", "reader", "book", session="evening")
    assert story.shown("next", visitor="reader", session="evening") == ["glue"]


def test_what_visitors_come_back_to(story):
    for place, one in enumerate(("kit", "paint")):
        story.send(story.event("view", "back", one, session="twice", hours=-place / 60))
    story.later(hours=0.1)
    found = story.items("back", visitor="back", session="twice")
    # Twelve of sixteen came back to the kit two clicks later, nobody to what was seen just before.
    assert found[0]["id"] == "kit"
    assert found[0]["reasons"][0]["code"] == "session_repeats"
    assert story.shown("back", visitor="never-here", session="none") == []
    story.later(hours=-0.1)


def test_what_those_with_a_visit_like_this_looked_at(story):
    story.does("view", "like", "paint", session="alike")
    found = story.reasons("alike", visitor="like", session="alike")
    assert {"kit", "brush"} <= set(found)
    assert found["brush"]["code"] == "session_neighbours"
