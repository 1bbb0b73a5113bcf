"""`endcap export`: what a placement shows to each visitor, in a file, whatever breaks off."""

import csv
import json
from itertools import chain

import duckdb
import pytest

from endcap.core.errors import StoreUnavailable
from endcap.services.export import ExportService

PRODUCTS = [
    {"id": f"p{n}", "title": f"Product {n}", "price": f"{n}.50", "currency": "EUR", "stock": 9}
    for n in range(1, 13)
]
VISITORS = [f"v-{n}" for n in range(25)]


@pytest.fixture
def shop(endcap, tmp_path):
    """A shop with orders, and views of some of the visitors."""
    (tmp_path / "products.ndjson").write_text("\n".join(map(json.dumps, PRODUCTS)))
    events = [
        {
            "event_id": f"o{n}",
            "type": "purchase",
            "visitor": f"buyer-{n}",
            "order": f"o{n}",
            "products": [{"id": f"p{1 + n % 6}"}, {"id": f"p{1 + (n * n + 1) % 12}"}],
        }
        for n in range(40)
    ] + [
        {"event_id": f"w{n}", "type": "view", "visitor": f"v-{n}", "product": f"p{1 + n % 5}"}
        for n in range(0, 25, 2)
    ]
    (tmp_path / "events.ndjson").write_text("\n".join(map(json.dumps, events)))
    (tmp_path / "ids.txt").write_text("\n".join(VISITORS) + "\n")
    assert endcap("import", "catalog", "products.ndjson").code == 0
    assert endcap("import", "events", "events.ndjson").code == 0
    assert endcap("build").code == 0
    return endcap


def exported(endcap, *arguments, to="out.parquet", visitors="ids.txt"):
    return endcap(
        "export", "--placement", "home", "--visitors", visitors, "--to", to, "--json", *arguments
    )


def rows_of(file):
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * EXCLUDE (token) FROM read_parquet(?)", [str(file)])
        return found.fetchall()


def test_each_visitor_gets_what_the_placement_shows(shop, tmp_path):
    ran = exported(shop, "--count", 3)
    assert ran.code == 0, ran.err
    state = json.loads(ran.out)
    assert (state["visitors"], state["rows"], state["refused"]) == (25, 75, 0)
    rows = rows_of(tmp_path / "out.parquet")
    assert [row[0] for row in rows] == [visitor for visitor in VISITORS for _ in range(3)]
    assert [row[1] for row in rows] == [1, 2, 3] * 25
    for visitor in ("v-0", "v-1", "v-24"):
        slate = json.loads(
            shop("recommend", "home", "--visitor", visitor, "--count", 3, "--json").out
        )
        mine = [row for row in rows if row[0] == visitor]
        assert [row[2] for row in mine] == [item["id"] for item in slate["items"]]
        assert [row[5] for row in mine] == [item["reasons"][0]["code"] for item in slate["items"]]
        assert mine[0][7] == slate["items"][0]["product"]["title"]
    assert not (tmp_path / "out.parquet.parts").exists()


def test_what_was_exported_is_in_the_log_under_its_token(shop, tmp_path):
    assert exported(shop).code == 0
    with duckdb.connect() as connection:
        file = str(tmp_path / "out.parquet")
        tokens = connection.execute("SELECT DISTINCT token FROM read_parquet(?)", [file]).fetchall()
    assert len(tokens) == 25
    ran = shop("explain", "--json", "--", tokens[7][0])
    assert ran.code == 0, ran.err


def test_it_goes_on_where_it_broke_off(shop, tmp_path, monkeypatch):
    assert exported(shop, "--part", 4, to="whole.parquet").code == 0
    plain, seen = ExportService.part, []

    async def broken(self, shop, request, visitors, first):
        if len(seen) == 3:
            raise StoreUnavailable("the disk is full")
        seen.append(list(visitors))
        return await plain(self, shop, request, visitors, first)

    monkeypatch.setattr(ExportService, "part", broken)
    ran = exported(shop, "--part", 4)
    assert ran.code == 1
    assert "the disk is full" in ran.err
    assert not (tmp_path / "out.parquet").exists()
    assert list(chain(*seen)) == VISITORS[:12]

    async def counted(self, shop, request, visitors, first):
        seen.append(list(visitors))
        return await plain(self, shop, request, visitors, first)

    monkeypatch.setattr(ExportService, "part", counted)
    ran = exported(shop, "--part", 5)
    assert ran.code == 0, ran.err
    assert list(chain(*seen)) == VISITORS
    # Scores may differ in the last digit: counts decay from one second to the next.
    assert [row[:3] for row in rows_of(tmp_path / "out.parquet")] == [
        row[:3] for row in rows_of(tmp_path / "whole.parquet")
    ]


def test_another_export_into_the_same_file_is_refused(shop, tmp_path, monkeypatch):
    plain = ExportService.part

    async def broken(self, shop, request, visitors, first):
        raise StoreUnavailable("no")

    monkeypatch.setattr(ExportService, "part", broken)
    assert exported(shop, "--part", 4).code == 1
    monkeypatch.setattr(ExportService, "part", plain)
    (tmp_path / "out.parquet.parts" / "state.json").write_text(
        json.dumps({"job": {"placement": "cart"}, "visitors": 4, "rows": 1, "parts": 1})
    )
    ran = exported(shop)
    assert ran.code == 2
    assert "--restart" in ran.err
    assert exported(shop, "--restart").code == 0
    assert len({row[0] for row in rows_of(tmp_path / "out.parquet")}) == 25


def test_ids_that_cannot_be_used_are_counted(shop, tmp_path):
    (tmp_path / "some.txt").write_text("v-1\n" + "x" * 300 + "\nv-2\n")
    ran = exported(shop, "--count", 2, visitors="some.txt")
    assert ran.code == 3
    assert json.loads(ran.out)["refused"] == 1
    assert [row[0] for row in rows_of(tmp_path / "out.parquet")] == ["v-1"] * 2 + ["v-2"] * 2


@pytest.mark.parametrize("to", ["out.csv", "out.ndjson"])
def test_other_formats(shop, tmp_path, to):
    (tmp_path / "ids.csv").write_text("visitor,mail\nv-1,a@example.org\nv-2,b@example.org\n")
    assert exported(shop, "--count", 2, to=to, visitors="ids.csv").code == 0
    text = (tmp_path / to).read_text()
    if to.endswith("csv"):
        rows = list(csv.DictReader(text.splitlines()))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [row["visitor"] for row in rows] == ["v-1", "v-1", "v-2", "v-2"]
    assert all(row["title"].startswith("Product") and row["token"] for row in rows)


def test_nobody_gives_an_empty_file(shop, tmp_path):
    (tmp_path / "none.txt").write_text("")
    assert exported(shop, visitors="none.txt").code == 0
    assert rows_of(tmp_path / "out.parquet") == []


@pytest.mark.parametrize(
    ("placement", "visitors", "to", "count", "said"),
    [
        ("hom", "ids.txt", "o.parquet", 1, "home"),
        ("home", "ids.txt", "o.xls", 1, ".parquet"),
        ("home", "no.txt", "o.csv", 1, "no.txt"),
        ("home", "ids.txt", "o.csv", 0, "count"),
        ("home", "mails.csv", "o.csv", 1, "visitor"),
    ],
)
def test_wrong_use_is_named(endcap, tmp_path, placement, visitors, to, count, said):
    (tmp_path / "ids.txt").write_text("v-1\n")
    (tmp_path / "mails.csv").write_text("mail\na@example.org\n")
    ran = endcap(
        "export", "--placement", placement, "--visitors", visitors, "--to", to, "--count", count
    )
    assert ran.code in (1, 2)
    assert said in ran.err
    assert "Traceback" not in ran.err
