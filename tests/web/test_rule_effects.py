"""What a rule did for the slots it touched, through HTTP, against figures worked out by hand."""

import math

import pytest

from door import open_door

PIN = {
    "title": "Pin",
    "placements": ["popular"],
    "effect": {"type": "pin", "products": ["p5"], "slot": 1},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """40 visitors see three products, the first of them pinned."""
    with open_door(tmp_path_factory.mktemp("effects")) as door:
        for n in range(6):
            door.put_product(f"p{n}", price="10.00", stock=9)
        assert door.call("PUT", "/v1/rules/pin", PIN).status == 200
        assert door.post("/v1/rules/pin/publish", {}).status == 200
        for n in range(40):
            see(door, n)
        door.run(door.installation.served.flush())
        door.installation.measuring.close()
        yield door


def see(door, n):
    answer = door.get("/v1/recommendations/popular", visitor=f"v{n}", count=3).json()
    ids = [item["id"] for item in answer["items"]]
    assert ids[0] == "p5"
    common = {"visitor": f"v{n}", "token": answer["token"]}
    events = [{"event_id": f"i{n}", "type": "impression", "products": [{"id": i} for i in ids]}]
    if n < 12:
        events.append({"event_id": f"a{n}", "type": "click", "product": ids[0]})
    if n % 5 == 0:
        events.append({"event_id": f"b{n}", "type": "click", "product": ids[2]})
    assert door.send(*(common | event for event in events))["rejected"] == 0


def test_slots_with_the_rule_beside_the_others(shop):
    answer = shop.get("/v1/reports/rules")
    assert answer.status == 200, answer
    (found,) = answer.json()["data"]
    assert (found["rule"], found["basis"]) == ("pin", "seen")
    assert (found["shown"], found["clicked"]) == (40, 12)
    assert (found["others_shown"], found["others_clicked"]) == (80, 8)
    # One placement and one day: the ratio of two proportions with the usual interval of its log.
    ratio = (12 / 40) / (8 / 80)
    error = math.sqrt(1 / 12 - 1 / 40 + 1 / 8 - 1 / 80)
    assert found["lift"] == pytest.approx(ratio - 1)
    assert found["low"] == pytest.approx(ratio * math.exp(-1.959964 * error) - 1, rel=1e-4)
    assert found["high"] == pytest.approx(ratio * math.exp(1.959964 * error) - 1, rel=1e-4)


def test_days_without_the_rule_have_nothing_to_say(shop):
    assert (
        shop.get("/v1/reports/rules", **{"from": "2020-01-01", "to": "2020-02-01"}).json()["data"]
        == []
    )
    wrong = shop.get("/v1/reports/rules", **{"from": "yesterday"})
    assert wrong.status == 422 and wrong.json()["errors"][0]["pointer"] == "/query/from"


def test_the_pages_show_it_with_its_caveat(shop):
    listed = shop.get("/dashboard/rules").body.decode()
    assert "+200 %" in listed and "it is no experiment" in listed
    page = shop.get("/dashboard/rules/pin").body.decode()
    assert "+200 %" in page and "No proof that the rule causes it" in page
    assert "/dashboard/experiments/without-pin?differs=rule&amp;rule=pin" in page
    form = shop.get("/dashboard/experiments/without-pin?differs=rule&rule=pin&placement=popular")
    assert "<option selected>pin</option>" in form.body.decode()
