"""Placements over HTTP: data, versioned, live at once, all problems named."""

import pytest

from endcap.services.placements import ready_placements

BODY = {
    "title": "Mine",
    "slots": 3,
    "strategies": [{"retriever": "also_bought", "weight": 2.0}],
    "filters": [{"filter": "available"}],
    "fallback": [{"retriever": "popular", "window": "30d"}],
}


def test_the_ready_ones_are_there(door):
    names = [view["name"] for view in door.get("/v1/placements").json()["data"]]
    assert set(names) == set(ready_placements())
    assert {"home", "product", "cart", "order", "popular", "recently_viewed"} <= set(names)
    assert {"similar", "also_bought"} <= set(names)


def test_a_placement_is_made_used_changed_and_taken_away(door):
    made = door.call("PUT", "/v1/placements/mine?note=first", BODY)
    assert made.status == 200
    assert made.headers["etag"] == '"1"'
    assert made.json()["placement"] == BODY
    assert made.json()["note"] == "first"
    assert door.shown("mine", seed="mug")[:2] == ["plate", "lamp"]
    changed = door.call("PUT", "/v1/placements/mine", {**BODY, "slots": 1})
    assert changed.json()["version"] == 2
    slate = door.get("/v1/recommendations/mine", seed="mug").json()
    assert len(slate["items"]) == 1
    assert slate["versions"]["placement"] == "2"
    old = door.get("/v1/placements/mine", version=1).json()
    assert old["placement"]["slots"] == 3
    versions = door.get("/v1/placements/mine/versions").json()["data"]
    assert [view["version"] for view in versions] == [2, 1]
    assert door.call("DELETE", "/v1/placements/mine").status == 204
    assert door.get("/v1/recommendations/mine").status == 404
    assert door.get("/v1/placements/mine").status == 404
    assert door.call("DELETE", "/v1/placements/mine").status == 404
    assert len(door.get("/v1/placements/mine/versions").json()["data"]) == 3


def test_if_match_keeps_one_from_undoing_anothers_change(door):
    assert door.call("PUT", "/v1/placements/shared", BODY, [("if-match", '"0"')]).status == 200
    assert door.call("PUT", "/v1/placements/shared", BODY, [("if-match", '"1"')]).status == 200
    stale = door.call("PUT", "/v1/placements/shared", BODY, [("if-match", '"1"')])
    assert stale.status == 409
    assert "version 2" in stale.json()["detail"]


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"slots": 0}, ["/slots"]),
        ({"slots": "many"}, ["/slots"]),
        ({"slts": 3}, ["/slts"]),
        ({"strategies": [], "fallback": []}, ["/strategies"]),
        ({"strategies": [{"retriever": "also_bougt"}]}, ["/strategies/0/retriever"]),
        ({"strategies": [{"retriever": "popular", "windw": "7d"}]}, ["/strategies/0"]),
        ({"strategies": [{"retriever": "popular", "weight": -1}]}, ["/strategies/0/weight"]),
        ({"filters": [{"filter": 7}], "slots": 101}, ["/slots", "/filters/0/filter"]),
        ({"title": "a\u0000"}, ["/title"]),
        ({"strategies": [{"retriever": "popular"}] * 51}, ["/strategies"]),
    ],
)
def test_every_problem_is_named_and_nothing_is_changed(door, change, pointers):
    door.call("PUT", "/v1/placements/kept", BODY)
    before = door.get("/v1/placements/kept").json()["version"]
    answer = door.call("PUT", "/v1/placements/kept", {**BODY, **change})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert door.get("/v1/placements/kept").json()["version"] == before


def test_a_version_that_is_not_there(door):
    answer = door.get("/v1/placements/home", version=99)
    assert answer.status == 404
    assert "99" in answer.json()["detail"]
    assert door.get("/v1/placements/hoem").json()["detail"].count("home") == 1


def test_placements_outlive_a_restart(tmp_path):
    from door import open_door

    with open_door(tmp_path) as door:
        door.call("PUT", "/v1/placements/mine", BODY)
        door.call("DELETE", "/v1/placements/similar")
    with open_door(tmp_path) as door:
        assert door.get("/v1/placements/mine").json()["placement"] == BODY
        assert door.get("/v1/placements/similar").status == 404
