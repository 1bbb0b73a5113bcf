"""Experiments in the dashboard: plan, keep, start, read, stop."""

import random
from urllib.parse import urlencode

import pytest

from door import open_door

HOME = "/dashboard/experiments"
FORM = {
    "title": "Fewer <slots>", "placement": "popular", "differs": "draft", "primary": "click_rate",
    "traffic": "1", "effect": "0.15", "power": "0.8", "per_variant": "100", "days": "14",
    "guard_revenue_per_visitor": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("experiments")) as opened:
        opened.installation.experiments._new_salt = lambda: "salt"
        for n in range(6):
            opened.put_product(f"p{n}", title=f"Product {n}", price="5.00", stock=2)
        yield opened


def post(door, path, **form):
    return door.post(path, urlencode(form).encode())


def page(door, name="fewer-slots", **query):
    return door.get(f"{HOME}/{name}.json", **query).json()


def browse(door, visitors):
    rng = random.Random(3)
    for n in range(visitors):
        answer = door.get("/v1/recommendations/popular", visitor=f"v{n}").json()
        ids = [item["id"] for item in answer["items"]]
        common = {"visitor": f"v{n}", "token": answer["token"]}
        events = [{"type": "impression", "product": p, **common} for p in ids[:2]]
        if rng.random() < 0.5:
            events.append({"type": "click", "product": ids[0], **common})
        door.send(*events)
    door.run(door.installation.served.flush())
    door.installation.measuring.close()


def test_an_experiment_is_planned_started_read_and_stopped(door):
    new = post(door, "/dashboard/new-experiment", title="Fewer <slots>!")
    assert new.headers["location"].startswith(f"{HOME}/fewer-slots?")
    refused = post(door, f"{HOME}/fewer-slots/draft", **FORM)
    assert refused.status == 422
    assert "has no draft yet" in refused.body.decode()
    post(door, "/dashboard/placements/popular/draft", title="T", slots="2", weight_0="1")
    assert post(door, f"{HOME}/fewer-slots/draft", **FORM).status == 303
    kept = page(door)
    assert kept["view"]["experiment"]["variants"][1]["changes"]["slots"] == 2
    assert kept["fields"]["guard_revenue_per_visitor"] == "1"
    html = door.get(f"{HOME}/fewer-slots").body.decode()
    assert "Fewer &lt;slots&gt;" in html
    assert "<slots>" not in html
    assert post(door, f"{HOME}/fewer-slots/start").status == 303
    browse(door, 60)
    running = page(door)
    assert sum(running["results"]["health"]["visitors"].values()) == 60
    assert running["results"]["verdict"]["status"] == "too_early"
    html = door.get(f"{HOME}/fewer-slots").body.decode()
    assert "Too early" in html
    assert "winner" not in html
    assert '<svg class="chart"' in html
    assert "Too early" in door.get(HOME).body.decode()
    split = page(door, split="click_rate")["split"]
    assert split["visitors"] == 60
    assert post(door, f"{HOME}/fewer-slots/start").status == 409
    assert post(door, f"{HOME}/fewer-slots/delete").status == 409
    assert post(door, f"{HOME}/fewer-slots/stop").status == 303
    assert page(door)["view"]["experiment"]["state"] == "stopped"
    assert post(door, f"{HOME}/fewer-slots/delete").status == 303
    assert door.get(f"{HOME}.json").json()["experiments"] == []


def test_the_planner_says_how_long(door):
    asked = {"baseline": "0.05", "effect": "0.1", "visitors_per_day": "1000"}
    plan = page(door, "new-one", **asked)["plan"]
    assert 30_000 < plan["per_variant"] < 32_500
    assert plan["days"] == -(-plan["per_variant"] // 500)
    html = door.get(f"{HOME}/new-one", **asked).body.decode()
    assert f'name="per_variant" value="{plan["per_variant"]}"' in html
    wrong = page(door, "new-one", baseline="2", visitors_per_day="many")
    assert {one["pointer"] for one in wrong["plan_problems"]} >= {"/baseline", "/visitors_per_day"}


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"traffic": "2"}, "/traffic"),
        ({"traffic": "all"}, "/traffic"),
        ({"days": "0"}, "/plan/days"),
        ({"differs": "rule", "rule": ""}, "/rule"),
        ({"placement": "nowhere"}, "/placements/0"),
    ],
)
def test_a_problem_stands_at_its_field(door, form, pointer):
    if "differs" not in form:
        post(door, "/dashboard/placements/popular/draft", title="T", slots="2", weight_0="1")
    if form.get("placement") == "nowhere":
        form = {**form, "differs": "rule", "rule": "x"}
    answer = post(door, f"{HOME}/bad/draft", **{**FORM, **form})
    assert answer.status == 422, answer
    assert f"<code>{pointer}</code>" in answer.body.decode()
    assert page(door, "bad")["view"] is None


def test_an_experiment_may_be_written_as_text(door):
    text = '{"placements": ["popular"], "variants": [{"name": "a"}, {"name": "b"}], "alpha": 9}'
    answer = post(door, f"{HOME}/text/draft", json=text)
    assert answer.status == 422
    assert "/alpha" in answer.body.decode()
    assert post(door, f"{HOME}/text/draft", json=text.replace("9", "0.1")).status == 303
    assert page(door, "text")["view"]["experiment"]["alpha"] == 0.1
