"""A draft worked out on live requests without being shown, through HTTP."""

import pytest

from door import open_door
from endcap.services import shadow as module

PLACEMENT = "/v1/placements/popular"


@pytest.fixture
def shop(tmp_path):
    """Six old products that are bought, six new ones, and a draft that shows the new ones."""
    with open_door(tmp_path) as door:
        for n in range(12):
            door.put_product(f"{'old' if n < 6 else 'new'}{n}", price="10.00", stock=99)
        for n in range(24):
            buy(door, f"s{n}", f"old{n % 6}", f"s{n}")
        door.build()
        live = door.get(PLACEMENT).json()["placement"]
        draft = live | {"strategies": [{"retriever": "new_arrivals"}], "fallback": []}
        assert door.call("PUT", f"{PLACEMENT}/draft", draft).status == 200
        yield door


def buy(door, visitor, product, order):
    door.send(
        {
            "event_id": f"b{order}", "type": "purchase", "visitor": visitor, "order": order,
            "products": [{"id": product, "price": "10.00"}],
        }
    )  # fmt: skip


def start(door, sample=1.0):
    answer = door.call("PUT", f"{PLACEMENT}/shadow", {"sample": sample})
    assert answer.status == 200, answer
    return answer.json()


def settled(door):
    door.run(door.installation.shadows.settle())
    door.run(door.installation.served.flush())
    door.installation.measuring.close()
    answer = door.get(f"{PLACEMENT}/shadow")
    assert answer.status == 200, answer
    return answer.json()


def slate(door, visitor):
    answer = door.get("/v1/recommendations/popular", visitor=visitor, count=6).json()
    return answer["token"], [item["id"] for item in answer["items"]]


def test_a_draft_is_tried_and_nobody_sees_it(shop):
    assert start(shop)["version"] == 1
    for n in range(20):
        token, ids = slate(shop, f"v{n}")
        assert all(one.startswith("old") for one in ids)
        if n < 8:  # five buy something new that was not shown, three something that was
            buy(shop, f"v{n}", "new7" if n < 5 else ids[0], f"v{n}")
        if n == 9:
            click = {"event_id": "c", "type": "click", "visitor": "v9", "product": ids[1]}
            shop.send(click | {"token": token})
    found = settled(shop)
    assert (found["work"]["scored"], found["work"]["dropped"], found["work"]["failed"]) == (
        20,
        0,
        0,
    )
    figures = found["figures"]
    assert (figures["slates"], figures["same"], figures["overlap"]) == (20, 0, 0.0)
    assert (figures["wanted"], figures["shown_hits"], figures["shadow_hits"]) == (9, 4, 5)
    assert (figures["bought"], figures["shown_bought"], figures["shadow_bought"]) == (8, 3, 5)
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    page = shop.get("/dashboard/placements/popular").body.decode()
    assert "In the shadow" in page and "20" in page
    # Archived and folded, it is the same; the slates themselves are reported once.
    shop.build()
    assert settled(shop)["figures"] | {"as_of": 0} == figures | {"as_of": 0}
    (row,) = shop.get("/v1/reports/performance").json()["rows"]
    assert (row["placement"], row["slates"]) == ("popular", 20)


def test_what_is_kept_now_counts_and_a_later_draft_does_not(shop):
    start(shop)
    live = shop.get(PLACEMENT).json()["placement"]
    assert shop.call("PUT", f"{PLACEMENT}/draft", live).status == 200
    slate(shop, "v")
    assert settled(shop)["figures"]["same"] == 0
    assert start(shop)["version"] == 2
    slate(shop, "w")
    figures = settled(shop)["figures"]
    assert (figures["slates"], figures["same"], figures["overlap"]) == (1, 1, 1.0)


def test_only_a_sample_and_never_more_than_the_queue_holds(shop, monkeypatch):
    start(shop, 0.25)
    for n in range(60):
        slate(shop, f"v{n}")
    few = settled(shop)["work"]["scored"]
    assert 3 <= few <= 30
    monkeypatch.setattr(module, "WAITING", 2)
    monkeypatch.setattr(module, "PAUSE", 0.5)
    start(shop)
    for n in range(6):
        slate(shop, f"x{n}")
    assert shop.get(f"{PLACEMENT}/shadow").json()["work"]["dropped"] >= 1
    work = settled(shop)["work"]
    assert work["scored"] + work["dropped"] == 6


def test_it_stops_and_a_restart_goes_on(shop, tmp_path):
    assert shop.get(f"{PLACEMENT}/shadow").json()["version"] is None
    start(shop)
    assert shop.call("DELETE", f"{PLACEMENT}/shadow").status == 204
    slate(shop, "v")
    assert settled(shop)["version"] is None
    assert shop.call("DELETE", f"{PLACEMENT}/shadow").status == 404
    start(shop)
    with open_door(tmp_path / "other") as fresh:
        assert fresh.get(f"{PLACEMENT}/shadow").json()["version"] is None
        refused = fresh.call("PUT", f"{PLACEMENT}/shadow", {"sample": 0.5})
        assert (refused.status, refused.json()["code"]) == (404, "not_found")
    wrong = shop.call("PUT", f"{PLACEMENT}/shadow", {"sample": 0})
    assert wrong.status == 422 and wrong.json()["errors"][0]["pointer"] == "/sample"
