"""An experiment day by day and by kinds of visitors, through HTTP, on a clock of its own."""

import random

import pytest

from door import open_door
from endcap.core.experiment import METRICS
from endcap.core.times import DAY, HOUR

START = 1_790_000_000_000 - 1_790_000_000_000 % DAY
TWO = {
    "placements": ["popular"],
    "variants": [{"name": "control"}, {"name": "short", "changes": {"slots": 2}}],
    "plan": {"per_variant": 5_000, "days": 14},
}
HOME = "/v1/experiments/x"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Four days of 100 visitors; phones like the short slate, half of all buy, some come back."""
    now = [START - 3 * DAY]
    with open_door(tmp_path_factory.mktemp("parts"), clock=lambda: now[0]) as door:
        for n in range(6):
            door.put_product(f"p{n}", price="10.00", stock=9)
        for n in range(0, 400, 9):  # bought before the experiment
            buy(door, f"v{n}", f"early{n}")
        now[0] = START
        door.installation.experiments._new_salt = lambda: "salt"
        assert door.call("PUT", HOME, TWO).status == 200
        assert door.post(f"{HOME}/start").status == 200
        rng = random.Random(5)
        for n in range(400):
            now[0] = START + n // 100 * DAY + HOUR
            visit(door, f"v{n}", n, rng)
            if n % 3 == 0 and n >= 100:
                visit(door, f"v{n - 100}", n - 100, rng, "again")
        door.run(door.installation.served.flush())
        door.installation.measuring.close()
        yield door


def visit(door, visitor, n, rng, turn="first"):
    device = "phone" if n % 2 else "desktop"
    answer = door.get("/v1/recommendations/popular", visitor=visitor, device=device).json()
    ids = [item["id"] for item in answer["items"]]
    short = answer["experiment"]["variant"] == "short"
    common = {"visitor": visitor, "token": answer["token"]}
    seen = {"event_id": f"i{visitor}{turn}", "type": "impression"}
    events = [common | seen | {"products": [{"id": one} for one in ids]}]
    if rng.random() < (0.7 if short and device == "phone" else 0.3):
        click = {"event_id": f"c{visitor}{turn}", "type": "click", "product": ids[0]}
        events.append(common | click)
    assert door.send(*events)["rejected"] == 0
    if rng.random() < 0.5:
        buy(door, visitor, f"{visitor}{turn}")


def buy(door, visitor, order):
    lines = [{"id": "p1", "price": "10.00"}, {"id": "p2", "price": "7.00"}]
    door.send(
        {
            "event_id": f"o{order}", "type": "purchase", "visitor": visitor, "order": order,
            "products": lines,
        }
    )  # fmt: skip


def got(shop, part, **query):
    answer = shop.get(f"{HOME}/{part}", **query)
    assert answer.status == 200, answer
    return answer.json()


@pytest.mark.parametrize("metric", METRICS)
def test_the_last_day_is_the_result(shop, metric):
    course = got(shop, "course", metric=metric)["points"]
    results = {one["metric"]: one["variants"] for one in got(shop, "results")["metrics"]}
    assert len(course) == 4
    for last, result in zip(course[-1]["variants"], results[metric], strict=True):
        for field in ("variant", "visitors", "value", "lift", "safe", "fixed", "p_value"):
            assert last.get(field) == pytest.approx(result.get(field)), field


def test_every_day_has_the_visitors_met_by_then(shop):
    points = got(shop, "course", metric="clicking_visitors")["points"]
    assert [sum(v["visitors"] for v in one["variants"]) for one in points] == [100, 200, 300, 400]
    control = [one["variants"][0] for one in points]
    clicked = [v["value"] * v["visitors"] for v in control]
    assert clicked == sorted(clicked) and clicked[0] > 0
    widths = [p["variants"][1]["fixed"] for p in points]
    spans = [w["high"] - w["low"] for w in widths]
    assert spans[-1] < spans[0]


def test_kinds_of_visitors_add_up_to_all(shop):
    found = got(shop, "breakdown", by="device", metric="clicking_visitors")
    parts = {one["part"]: one["variants"] for one in found["parts"]}
    whole = got(shop, "results")["metrics"]
    whole = next(m for m in whole if m["metric"] == "clicking_visitors")["variants"]
    assert set(parts) == {"phone", "desktop"}
    for place, variant in enumerate(whole):
        assert sum(p[place]["visitors"] for p in parts.values()) == variant["visitors"]
    assert parts["phone"][1]["lift"] > 0.4 > parts["desktop"][1]["lift"]
    assert parts["phone"][1]["p_value"] <= parts["phone"][1]["p_adjusted"]


def test_those_who_bought_before_are_a_kind(shop):
    found = got(shop, "breakdown", by="before", metric="buying_visitors")
    sizes = {p["part"]: sum(v["visitors"] for v in p["variants"]) for p in found["parts"]}
    assert sizes == {"bought before": 45, "new or idle": 355}
    assert got(shop, "breakdown", by="zone")["parts"] == []


@pytest.mark.parametrize(
    ("target", "pointer"),
    [("course?metric=luck", "/query/metric"), ("breakdown?by=shoe", "/query/by")],
)
def test_wrong_parts_name_the_field(shop, target, pointer):
    answer = shop.get(f"{HOME}/{target}")
    assert answer.status == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_the_page_draws_the_course_and_the_kinds(shop):
    page = shop.get("/dashboard/experiments/x", by="device").body.decode()
    assert "at the end of each day" in page and 'class="area"' in page
    assert "phone" in page and "To get ideas from" in page


def test_the_page_tries_the_variant_on_what_was_asked(shop):
    page = shop.get("/dashboard/experiments/x", backtest="1")
    assert page.status == 200 and "Had what was wanted" in page.body.decode()
    found = shop.get("/dashboard/experiments/x.json", backtest="1").json()["backtest"]
    assert found["slates"] == 200 and found["changed"] > 0
    assert 0 < found["draft"]["hit_rate"]["value"] <= 1
    assert found["draft"]["hit_rate"]["low"] <= found["draft"]["hit_rate"]["value"]
    assert shop.get("/dashboard/experiments/x.json").json()["backtest"] is None
