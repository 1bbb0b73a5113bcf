"""What others do in the shop counts in the very next answers, over HTTP."""

import time

import pytest

from door import open_door

MADE_UP = [f"p{n}" for n in range(12)]


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    with open_door(folder, serving=True, build_every=0) as opened:
        for product in MADE_UP:
            opened.put_product(product, title=product.upper(), price="1.00", stock=5)
        yield opened


def views(visitor, *products):
    return [
        {"type": "view", "visitor": visitor, "product": p, "event_id": f"{visitor}-{n}"}
        for n, p in enumerate(products)
    ]


def eventually(true):
    """The tail is folded in the background; a second is the promise, more is patience."""
    for _ in range(200):
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true")


def reasons(door, visitor):
    answer = door.get("/v1/recommendations/home", visitor=visitor, count=5).json()
    return {item["id"]: [r["code"] for r in item["reasons"]] for item in answer["items"]}


def test_a_session_elsewhere_counts_before_any_build(door):
    door.send(*views("me", "p1"))
    for n in range(3):
        door.send(*views(f"other{n}", "p1", "p7"))

    def found():
        return "session_neighbours" in reasons(door, "me").get("p7", ())

    assert eventually(found)
    answer = door.get("/v1/recommendations/home", visitor="me", count=5).json()
    item = next(item for item in answer["items"] if item["id"] == "p7")
    reason = next(r for r in item["reasons"] if r["code"] == "session_neighbours")
    assert reason["counts"] == {"sessions": 3, "alike": 3}
    assert "3 of 3 visitors with a session like yours" in reason["text"]


def test_a_build_keeps_the_tail_and_the_session(door):
    door.send(*views("you", "p2"), *views("another", "p2", "p9"))
    door.build()
    assert "session_neighbours" in reasons(door, "you")["p9"]
    door.send(*views("late", "p2", "p10"))
    assert eventually(lambda: "session_neighbours" in reasons(door, "you").get("p10", ()))


def test_counters_move_and_one_visitor_cannot_move_them(door):
    installation = door.installation
    shop = installation.settings.shop
    state = installation.live.state(shop)
    row = state.columns.row("p11")

    def visitors():
        now = installation.clock()
        return installation.live.state(shop).counters.visitors(row, "1h", now)

    flood = [
        {"type": "view", "visitor": "bot", "product": "p11", "event_id": f"flood{n}"}
        for n in range(500)
    ]
    door.send(*flood)
    eventually(lambda: visitors() > 0.5)
    assert visitors() <= 1.0
    for n in range(3):
        door.send(*views(f"fan{n}", "p11"))
    eventually(lambda: visitors() > 3.5)
