"""Rules in the dashboard: write, check, preview, publish, roll back, schedule."""

import datetime
from urllib.parse import urlencode

import pytest

from door import open_door

HOME = "/dashboard/rules"


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("rules")) as opened:
        for n in range(6):
            opened.put_product(f"p{n}", title=f"Product {n}", price=f"{n + 1}.00", stock=2)
        yield opened


def post(door, path, **form):
    return door.post(f"{HOME}/{path}", urlencode(form).encode())


def pin(door, name, product, **more):
    form = {"effect": "pin", "slot": "1", "products": product, "placements": "popular"}
    return post(door, f"{name}/draft", **{**form, "title": "A <pin>", "enabled": "1", **more})


def test_a_pin_is_written_previewed_published_and_rolled_back(door):
    new = door.post("/dashboard/new-rule", urlencode({"title": "Pin it, please!"}).encode())
    assert new.headers["location"].startswith(f"{HOME}/pin-it-please?")
    assert "new" in door.get(f"{HOME}/pin-it-please").body.decode()
    kept = pin(door, "pin-it-please", "p3", note="first")
    assert kept.status == 303, kept
    assert door.shown("popular")[0] != "p3"
    page = door.get(f"{HOME}/pin-it-please.json?check=1").json()
    assert page["preview"]["placement"] == "popular"
    assert page["preview"]["after"][0]["id"] == "p3"
    assert page["report"]["publishable"]
    html = door.get(f"{HOME}/pin-it-please?check=1").body.decode()
    assert "A &lt;pin&gt;" in html
    assert "put p3 in slot 1" in html.casefold()
    assert post(door, "pin-it-please/publish", note="go").status == 303
    assert door.shown("popular")[0] == "p3"
    pin(door, "pin-it-please", "p4")
    assert door.shown("popular")[0] == "p3"
    post(door, "pin-it-please/publish")
    assert door.shown("popular")[0] == "p4"
    assert post(door, "pin-it-please/rollback").status == 303
    assert door.shown("popular")[0] == "p3"
    listed = door.get("/dashboard/rules.json").json()["rules"]
    assert [(one["name"], one["state"]) for one in listed] == [("pin-it-please", "changed")]
    assert "p4" in door.get("/dashboard/rules").body.decode()
    assert post(door, "pin-it-please/off").status == 303
    assert door.shown("popular")[0] != "p3"
    assert post(door, "pin-it-please/delete").status == 303
    assert door.get("/dashboard/rules.json").json()["rules"] == []


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"effect": "boost", "factor": "0.5"}, "/effect/factor"),
        ({"effect": "boost", "factor": "lots"}, "/effect/factor"),
        ({"effect": "filter", "mode": "never"}, "/where"),
        ({"effect": "boost", "factor": "2", "where": "product.prize < 3"}, "/where"),
        ({"effect": "boost", "factor": "2", "when": "1 +"}, "/when"),
        ({"effect": "pin", "slot": "1", "products": ""}, "/effect/products"),
        ({"effect": "boost", "factor": "2", "hours": "9-18"}, "/schedule/hours/0"),
        ({"effect": "boost", "factor": "2", "from": "soon"}, "/schedule/from"),
        ({"effect": "boost", "factor": "2", "priority": "first"}, "/priority"),
    ],
)
def test_a_problem_stands_at_its_field(door, form, pointer):
    answer = post(door, "bad/draft", **form)
    html = answer.body.decode()
    assert answer.status == 422, answer
    assert f"<code>{pointer}</code>" in html
    assert html.count('class="problem"') == 1
    assert door.get("/v1/rules/bad").status == 404


def test_a_schedule_is_kept_and_shown_in_the_calendar(door):
    today = datetime.datetime.now(datetime.UTC).date()
    until = today + datetime.timedelta(days=3)
    form = {"from": f"{today}T00:00", "until": f"{until}T00:00", "weekday_1": "1", "hours": ""}
    days = [str(n) for n in range(1, 8)]
    form |= {f"weekday_{n}": "1" for n in days} | {"time_zone": "UTC"}
    assert pin(door, "short", "p1", **form).status == 303
    assert post(door, "short/publish").status == 303
    spans = door.get("/dashboard/calendar.json").json()["spans"]
    assert [one["name"] for one in spans] == ["short"]
    assert spans[0]["shares"][:4] == [1.0, 1.0, 1.0, 0.0]
    assert "<svg" in door.get("/dashboard/calendar").body.decode()
    fields = door.get(f"{HOME}/short.json").json()["fields"]
    assert fields["until"] == f"{until}T00:00"
    assert pin(door, "short", "p1", **{k: v for k, v in fields.items() if v}).status == 303
    history = door.get("/v1/rules/short/versions").json()["data"]
    assert history[0]["rule"] == history[1]["rule"]  # the form loses nothing
    post(door, "short/delete")


def test_what_the_check_refuses_is_published_only_by_force(door):
    pin(door, "over", "p1", until="2020-01-01T00:00")
    refused = post(door, "over/publish")
    assert refused.status == 422
    assert "its schedule is over" in refused.body.decode()
    assert post(door, "over/publish", force="1").status == 303
    post(door, "over/delete")


def test_expressions_in_words(door):
    query = {"where": "product.price < 3.0", "when": "visitor.orders >"}
    words = door.get("/dashboard/words.json", **query).json()
    assert "price" in words["where"]
    assert [one["pointer"] for one in words["problems"]] == ["/when"]


def test_a_rule_needs_a_name(door):
    assert door.post("/dashboard/new-rule", urlencode({"title": "!!"}).encode()).status == 422
