"""`endcap preview` and `endcap backtest`: drafts before they are live, on the terminal."""

import json
import time

import pytest

from door import open_door
from endcap.evaluate.backtest import _gini, _overlap

GOODS = {"mug": "Aga", "cup": "Aga", "plate": "Bee", "bowl": "Bee", "lamp": "Lux", "rug": "Lux"}
BOOST = {"where": "product.brand == 'Lux'", "effect": {"type": "boost", "factor": 9}}


@pytest.fixture
def folder(tmp_path):
    """A shop in which six visitors saw four best sellers; two then bought the lamp, one the mug."""
    with open_door(tmp_path / "shop") as door:
        for name, brand in GOODS.items():
            door.put_product(name, title=name.title(), brand=brand, price="10.00", stock=9)
        door.send(
            *(
                {"type": "purchase", "visitor": f"b{place}-{n}", "product": name,
                 "order": f"o{place}-{n}", "price": "10.00", "time": "2026-11-20T00:00:00Z"}
                for place, name in enumerate(GOODS)
                for n in range(12 - 2 * place)
            )
        )  # fmt: skip
        door.build()
        assert door.call("PUT", "/v1/rules/lux", BOOST).status == 200
        for n in range(6):
            assert door.shown("popular", visitor=f"v{n}", count=4) == [
                "mug",
                "cup",
                "plate",
                "bowl",
            ]
        time.sleep(0.01)
        door.send(
            {
                "type": "purchase",
                "visitor": "v0",
                "product": "lamp",
                "price": "30.00",
                "order": "a",
            },
            {
                "type": "purchase",
                "visitor": "v1",
                "product": "lamp",
                "price": "30.00",
                "order": "b",
            },
            {"type": "click", "visitor": "v2", "product": "cup"},
        )
    return str(tmp_path / "shop")


def test_a_preview_prints_what_moves(endcap, folder):
    ran = endcap("preview", "popular", "--rule", "lux", "--count", 3, "--data", folder)
    assert ran.code == 0, ran.err
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["-", "1", "lamp", "Lamp", "[rule", "lux", "v0]"] in lines
    assert ["1", "3", "mug", "Mug"] in lines
    assert ["2", "-", "cup", "Cup"] in lines
    found = json.loads(
        endcap("preview", "popular", "--rule", "lux", "--json", "--as-of", "2026-12-24",
               "--segment", "loyal", "--data", folder).out
    )  # fmt: skip
    assert found["segments"] == ["loyal"]
    assert found["as_of"] == "2026-12-24T00:00:00.000Z"


def test_a_backtest_compares_the_draft_with_what_is_live(endcap, folder):
    ran = endcap("backtest", "--rule", "lux", "--days", 1, "--json", "--data", folder)
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert (found["slates"], found["changed"], found["with_outcome"]) == (6, 6, 3)
    served, live, draft = found["served"], found["live"], found["draft"]
    assert served["hit_rate"]["value"] == pytest.approx(1 / 3)
    assert served["mrr"]["value"] == pytest.approx(1 / 6)
    assert served["revenue_hits"] == 0.0
    # The bias that is stated: the lamps bought since have lifted the lamp to place 4.
    assert live["mrr"]["value"] == pytest.approx((1 / 4 + 1 / 4 + 1 / 2) / 3)
    assert found["overlap"] == pytest.approx(3 / 5)
    # The draft shows lamp, rug, mug, cup: both lamps and the cup are hits.
    assert draft["hit_rate"]["value"] == 1.0
    assert draft["mrr"]["value"] == pytest.approx((1 + 1 + 1 / 4) / 3)
    assert draft["revenue_hits"] == 1.0
    assert draft["coverage"] == pytest.approx(4 / 6)
    assert (served["gini"], served["top_share"], served["empty"]) == (0.0, 1.0, 0)
    assert len(found["bias"]) == 3
    text = endcap("backtest", "--rule", "lux", "--data", folder).out
    assert "6 slates of the last 7 days; 6 change" in text
    assert "hit rate" in text
    assert "Only an experiment tells" in text


def test_a_backtest_of_a_placement_draft_from_a_file(endcap, folder, tmp_path):
    file = tmp_path / "draft.json"
    file.write_text(json.dumps({"slots": 4, "strategies": [{"retriever": "new_arrivals"}]}))
    ran = endcap("backtest", "--placement", "popular", "--draft", file, "--json", "--data", folder)
    found = json.loads(ran.out)
    assert (found["slates"], found["changed"]) == (6, 6)
    # The newest first: rug, lamp, bowl, plate.
    assert found["draft"]["mrr"]["value"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    none = endcap("backtest", "--placement", "home", "--json", "--data", folder)
    assert json.loads(none.out)["slates"] == 0


def test_mistakes_end_with_a_word(endcap, folder, tmp_path):
    assert endcap("backtest", "--draft", "x.json", "--data", folder).code == 2
    gone = endcap("preview", "popular", "--rule", "lux=gone.json", "--data", folder)
    assert gone.code != 0
    assert "cannot be read" in gone.err
    file = tmp_path / "rule.json"
    file.write_text(json.dumps({"effect": {"type": "boost", "factor": 2}, "where": "product.pric"}))
    wrong = endcap("preview", "popular", "--rule", f"x={file}", "--data", folder)
    assert wrong.code != 0
    assert "did you mean `price`?" in wrong.err
    unknown = endcap("backtest", "--placement", "nowhere", "--data", folder)
    assert unknown.code != 0
    assert "no placement `nowhere`" in unknown.err


def test_the_measures():
    import numpy as np

    assert _gini(np.array([1.0, 1.0, 1.0])) == 0.0
    assert _gini(np.array([0.0, 0.0, 3.0])) == pytest.approx(2 / 3)
    assert _gini(np.array([])) == 0.0
    assert _overlap(["a", "b"], ["b", "c"]) == pytest.approx(1 / 3)
    assert _overlap([], []) == 1.0
