"""`endcap evaluate log` and `endcap tune` on a shop's own log, from import to draft."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from endcap.cli.commands import app
from endcap.core.placement import Placement
from endcap.evaluate.search import search

DAY = "2026-03-{:02}T{:02}:{:02}:00Z"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Eight days of visitors who walk along one of three trails, and sometimes buy its end."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(9)
    products = [{"id": p, "title": p, "price": "1.00"} for p in "abcdefghijkl"]
    (folder / "products.json").write_text(json.dumps(products))
    events = []
    for n in range(240):
        trail = ("abcd", "efgh", "ijkl")[rng.integers(3)]
        visitor, day, hour = f"v{n}", 1 + n // 30, int(rng.integers(24))
        for place, p in enumerate(trail[: rng.integers(2, 5)]):
            at = DAY.format(day, hour, place)
            view = {"type": "view", "visitor": visitor, "product": p, "time": at}
            events.append({**view, "event_id": f"{n}-{place}"})
        if n % 2:
            order = {"type": "purchase", "visitor": visitor, "time": DAY.format(day, hour, 30)}
            lines = [{"id": p} for p in trail[1:]]
            events.append({**order, "event_id": f"{n}-o", "products": lines})
    (folder / "events.ndjson").write_text("\n".join(map(json.dumps, events)))
    data = ["--data", str(folder / "data")]
    for what, file in (("catalog", "products.json"), ("events", "events.ndjson")):
        result = CliRunner().invoke(app, ["import", what, str(folder / file), *data])
        assert result.exit_code == 0, (result.output, result.exception)
    return data


def run(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_the_last_days_are_foretold_from_the_days_before(shop):
    made = run("evaluate", "log", "--days", 2, "--k", 3, *shop)
    assert made["protocol"]["protocol"] == "sessions"
    assert made["examples"] > 50
    assert made["measures"]["HR@3"] > 0.9
    orders = run("evaluate", "log", "--days", 2, "--k", 3, "--placement", "also_bought", *shop)
    assert orders["protocol"]["protocol"] == "orders"
    assert orders["measures"]["HR@3"] > 0.9


def test_days_that_leave_nothing_to_build_from_are_refused(shop):
    result = CliRunner().invoke(app, ["evaluate", "log", "--days", "30", *shop])
    assert "there must be days before" in result.exception.detail


def test_tune_writes_a_draft_and_changes_nothing(shop, tmp_path):
    draft = tmp_path / "draft.json"
    before = run("evaluate", "log", "--days", 2, *shop)
    made = run("tune", "home", "--days", 2, "--candidates", 4, "--to", draft, *shop)
    written = json.loads(Path(draft).read_text())
    assert written == made
    assert written["base_version"] == 1
    msgspec.convert(written["body"], Placement)
    assert written["gain"]["low"] <= written["gain"]["value"] <= written["gain"]["high"]
    again = run("tune", "home", "--days", 2, "--candidates", 4, "--to", draft, *shop)
    assert again == made
    after = run("evaluate", "log", "--days", 2, *shop)
    assert after["measures"] == before["measures"]


def test_the_search_finds_a_better_weight_and_says_so():
    start = Placement(strategies=[{"retriever": "x", "weight": 1.0}])
    noise = np.random.default_rng(1).normal(0, 0.1, 2_000)

    def answer(placement, half, limit):
        weight = placement.strategies[0]["weight"]
        return (noise[half::2] + min(weight, 3.0) / 3.0)[:limit]

    found = search(start, lambda _: {}, answer, 16, 3, lambda _stage, _done: None)
    assert found.better
    assert found.placement.strategies[0]["weight"] > 1.5
    assert found.after - found.before == pytest.approx(found.gain.value)
    assert len(found.trials) == 16 + 8 + 4 + 2

    def flat(placement, half, limit):
        return noise[half::2][:limit]

    same = search(start, lambda _: {}, flat, 8, 3, lambda _stage, _done: None)
    assert (same.number, same.better) == (0, False)
