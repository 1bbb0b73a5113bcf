"""An interleaving through HTTP: one slate of two variants, and which of them visitors choose."""

import random

import pytest

from door import open_door

NAME = "mix"
MIX = {
    "type": "interleaving",
    "placements": ["popular"],
    "variants": [
        {"name": "control"},
        {"name": "fresh", "changes": {"strategies": [{"retriever": "new_arrivals"}]}},
    ],
    "plan": {"per_variant": 60, "days": 14},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Old products that are bought, and new ones; an interleaving of the two runs."""
    with open_door(tmp_path_factory.mktemp("mix")) as door:
        for n in range(12):
            door.put_product(f"{'old' if n < 6 else 'new'}{n}", price="10.00", stock=99)
        for n in range(60):
            door.send(
                {
                    "event_id": f"s{n}", "type": "purchase", "visitor": f"s{n}", "order": f"s{n}",
                    "products": [{"id": f"old{n % 6}", "price": "10.00"}],
                }
            )  # fmt: skip
        door.build()
        door.installation.experiments._new_salt = lambda: "salt"
        assert door.call("PUT", f"/v1/experiments/{NAME}", MIX).status == 200
        assert door.post(f"/v1/experiments/{NAME}/start").status == 200
        yield door


def slate(door, visitor, **query):
    answer = door.get("/v1/recommendations/popular", visitor=visitor, count=6, **query)
    assert answer.status == 200, answer
    return answer.json()


def results(door):
    door.run(door.installation.served.flush())
    door.installation.measuring.close()
    answer = door.get(f"/v1/experiments/{NAME}/results")
    assert answer.status == 200, answer
    return answer.json()


def test_a_slate_has_both_teams_and_stays_the_same(shop):
    first = slate(shop, "ann")
    assert first["experiment"] == {"id": NAME, "variant": "interleaved"}
    teams = [item["team"] for item in first["items"]]
    assert sorted(teams) == ["control"] * 3 + ["fresh"] * 3
    for item in first["items"]:
        assert item["id"].startswith("old" if item["team"] == "control" else "new")
        assert item["reasons"]
    assert [item["position"] for item in first["items"]] == [1, 2, 3, 4, 5, 6]
    again = slate(shop, "ann")
    assert [i["id"] for i in again["items"]] == [i["id"] for i in first["items"]]
    openers = [slate(shop, f"w{n}")["items"][0]["team"] for n in range(40)]
    assert 8 < openers.count("fresh") < 32


def test_without_a_visitor_there_is_no_experiment(shop):
    answer = shop.get("/v1/recommendations/popular", count=6).json()
    assert answer["experiment"] is None
    assert all("team" not in item for item in answer["items"])


def test_a_mixed_slate_is_explained_and_replayed(shop):
    served = slate(shop, "eve", explain="true")
    assert set(served["trace"]["teams"]) == {"control", "fresh"}
    for item, told in zip(served["items"], served["trace"]["items"], strict=True):
        assert (item["id"], item["score"], item["team"]) == (
            told["id"], told["score"], told["team"],
        )  # fmt: skip
    replay = shop.get(f"/v1/recommendations/{served['token']}/replay")
    assert replay.status == 200, replay
    assert replay.json()["exact"] is True
    assert [i["team"] for i in replay.json()["items"]] == [i["team"] for i in served["items"]]
    trace = shop.get(f"/v1/recommendations/{served['token']}/trace").json()
    assert set(trace["trace"]["teams"]) == {"control", "fresh"}


def test_visitors_who_prefer_new_things_are_heard(shop):
    """Each of 130 visitors clicks two products, new ones three times as often; three buy."""
    rng = random.Random(11)
    events = []
    for n in range(130):
        visitor = f"fan{n}"
        answer = slate(shop, visitor)
        weights = [3 if item["team"] == "fresh" else 1 for item in answer["items"]]
        chosen = {i["id"] for i in rng.choices(answer["items"], weights, k=2)}
        events += [
            {
                "event_id": f"{visitor}{product}", "type": "click", "visitor": visitor,
                "token": answer["token"], "product": product,
            }
            for product in sorted(chosen)
        ]  # fmt: skip
        if n < 3:
            events.append(
                {
                    "event_id": f"{visitor}buys", "type": "purchase", "visitor": visitor,
                    "order": f"o{n}", "products": [{"id": min(chosen), "price": "10.00"}],
                }
            )  # fmt: skip
    before = results(shop)
    assert before["verdict"]["status"] == "too_early"
    shop.run(shop.installation.served.flush())
    shop.send(*events)
    found = results(shop)
    chosen = found["preference"]
    assert chosen["wins"][1] > 1.5 * chosen["wins"][0]
    assert chosen["safe_p"] < 0.05
    assert 0.5 < chosen["safe"]["low"] < chosen["win_rate"] < chosen["safe"]["high"]
    assert (found["verdict"]["status"], found["verdict"]["early"]) == ("winner", True)
    assert "fresh is preferred" in found["verdict"]["text"]
    teams = {team["variant"]: team for team in found["teams"]}
    clicks = sum(team["clicked"] for team in teams.values())
    assert clicks == sum(e["type"] == "click" for e in events)
    assert teams["fresh"]["clicked"] > teams["control"]["clicked"]
    assert teams["fresh"]["bought"] + teams["control"]["bought"] == 3
    rows = shop.get(
        "/v1/reports/performance", group_by="variant", experiment=NAME
    ).json()["rows"]  # fmt: skip
    assert {r["variant"]: r["clicked"] for r in rows} == {
        name: team["clicked"] for name, team in teams.items()
    }
    page = shop.get(f"/dashboard/experiments/{NAME}").body.decode()
    assert "Which one visitors prefer" in page and "fresh is preferred" in page
    listed = shop.get("/dashboard/experiments").body.decode()
    assert "fresh is preferred" in listed


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"variants": MIX["variants"] + [{"name": "third"}]}, "/variants"),
        ({"guardrails": [{"metric": "order_value"}]}, "/guardrails"),
        ({"primary": "revenue_per_visitor"}, "/primary"),
        ({"variants": [{"name": "a"}, {"name": "interleaved"}]}, "/variants/1/name"),
    ],
)
def test_what_cannot_be_interleaved_is_refused(shop, change, pointer):
    answer = shop.call("PUT", "/v1/experiments/other", MIX | change)
    assert answer.status == 422, answer
    assert pointer in [problem["pointer"] for problem in answer.json()["errors"]]


def test_nobody_can_be_split_who_met_both(shop):
    assert shop.get(f"/v1/experiments/{NAME}/split-check").status == 409
