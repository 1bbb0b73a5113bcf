"""The examples of docs/rules.md, kept in docs/examples/rules.json, are what the shop shows."""

import json
from pathlib import Path

import pytest

from door import open_door

DOCS = Path(__file__).parents[2] / "docs"
DATA = json.loads((DOCS / "examples" / "rules.json").read_text("utf-8"))
TEXT = (DOCS / "rules.md").read_text("utf-8")


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("examples")) as opened:
        products = DATA["shop"]["products"]
        for product in products:
            fields = {"stock": 9} | {k: v for k, v in product.items() if k != "id"}
            opened.put_product(product["id"], **fields)
        opened.send(
            *(
                {"type": "purchase", "visitor": f"b{place}-{n}", "product": product["id"],
                 "order": f"o{place}-{n}", "price": "1.00"}
                for place, product in enumerate(products)
                for n in range(12 - 2 * place)
            ),
            {"type": "purchase", "visitor": "rich", "product": "rug", "order": "big",
             "price": "900.00"},
        )  # fmt: skip
        opened.build()
        yield opened


@pytest.mark.parametrize("example", DATA["examples"], ids=lambda example: example["title"])
def test_the_example_holds(door, example):
    names = list(example["rules"])
    for name in names:
        stored = door.call("PUT", f"/v1/rules/{name}", example["rules"][name])
        assert stored.status == 200, stored
        assert door.post(f"/v1/rules/{name}/publish?force=true").status == 200
    try:
        ask = {"count": 4, **example.get("ask", {})}
        assert door.shown(example.get("placement", "popular"), **ask) == example["slate"]
    finally:
        for name in names:
            door.call("DELETE", f"/v1/rules/{name}")


def test_every_example_is_in_the_document():
    for example in DATA["examples"]:
        assert f"**{example['title']}.**" in TEXT
        assert ", ".join(example["slate"]) in TEXT
