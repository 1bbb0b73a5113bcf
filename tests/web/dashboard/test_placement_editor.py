"""Editing a placement in the dashboard: draft, compare, publish, roll back; problems by field."""

import json
import re
from urllib.parse import urlencode

import pytest

from door import open_door

HOME = "/dashboard/placements/popular"


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("editor")) as opened:
        for n in range(4):
            opened.put_product(f"p{n}", title=f"Product {n}", price="5.00", stock=2)
        yield opened


def post(door, path, **form):
    return door.post(f"{HOME}/{path}", urlencode(form).encode())


def live(door):
    return door.get("/v1/placements/popular").json()


def test_draft_compare_publish_and_roll_back(door):
    before = live(door)
    kept = post(door, "draft", title="Loved <now>", slots="2", weight_0="2")
    assert kept.status == 303, kept
    assert live(door) == before  # a draft is not live
    page = door.get(f"{HOME}/edit.json").json()
    assert page["drafted"]
    assert page["draft"]["title"] == "Loved <now>"
    assert len(page["preview"]["before"]) == 4
    assert len(page["preview"]["after"]) == 2
    html = door.get(f"{HOME}/edit").body.decode()
    assert "Loved &lt;now&gt;" in html
    assert "<now>" not in html
    published = post(door, "publish", note="shorter", expected=str(before["version"]))
    assert published.status == 303, published
    after = live(door)
    assert (after["version"], after["note"]) == (before["version"] + 1, "shorter")
    assert after["placement"]["strategies"] == [
        {"retriever": "popular", "window": "30d", "weight": 2.0}
    ]
    assert len(door.shown("popular")) == 2
    assert not door.get(f"{HOME}/edit.json").json()["drafted"]
    lines = door.get(f"{HOME}/compare.json").json()["changes"]
    assert {"kind": "new", "text": '  "title": "Loved <now>",'} in lines
    back = post(door, "rollback", version=str(before["version"]))
    assert back.status == 303, back
    assert live(door)["placement"] == before["placement"]
    assert live(door)["version"] == before["version"] + 2


def test_strategies_are_added_and_dropped(door):
    post(door, "draft", title="T", slots="3", drop_0="1", add="new_arrivals", add_weight="0.5")
    draft = door.get(f"{HOME}/edit.json").json()["draft"]
    assert draft["strategies"] == [{"retriever": "new_arrivals", "weight": 0.5}]
    assert post(door, "discard").status == 303
    assert not door.get(f"{HOME}/edit.json").json()["drafted"]


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"title": "T", "slots": "0", "weight_0": "1"}, "/slots"),
        ({"title": "T", "slots": "4", "weight_0": "much"}, "/strategies/0/weight"),
        ({"text": json.dumps({"strategies": [{"retriever": "magic"}]})}, "/strategies/0/retriever"),
        ({"text": json.dumps({"slot": 3})}, "/slot"),
    ],
)
def test_a_problem_stands_at_its_field(door, form, pointer):
    answer = post(door, "draft", **form)
    html = answer.body.decode()
    assert answer.status == 422, answer
    assert f"<code>{pointer}</code>" in html
    if "text" in form:  # what was typed is still there
        typed = re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.S).group(1)
        assert typed.replace("&#34;", '"') == form["text"]


@pytest.mark.parametrize("text", ["{", "[]", "null", "[" * 5_000])
def test_text_that_is_no_placement_is_refused(door, text):
    assert post(door, "draft", text=text).status in (400, 422)


def test_publishing_over_a_newer_version_is_refused(door):
    post(door, "draft", title="Mine", slots="3", weight_0="1")
    version = live(door)["version"]
    body = {**live(door)["placement"], "title": "Theirs"}
    assert door.call("PUT", "/v1/placements/popular", body).status == 200
    answer = post(door, "publish", note="", expected=str(version))
    assert answer.status in (409, 412)
    assert live(door)["placement"]["title"] == "Theirs"
    post(door, "discard")


@pytest.mark.parametrize("version", ["x", "9999", "-1"])
def test_rolling_back_to_no_version_is_refused(door, version):
    assert post(door, "rollback", version=version).status in (404, 422)
