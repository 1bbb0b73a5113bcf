"""Reports through HTTP, from served slates to revenue."""

import csv
import io
import json

import duckdb
import pytest
from typer.testing import CliRunner

from door import open_door
from endcap.cli.commands import app
from endcap.core.errors import InvalidInput

SHOPPER = {"visitor": "shopper", "session": "s1"}


def browse(door, visitor, token, *steps):
    """Send (type, products) steps of a visitor on a slate."""
    door.send(
        *(
            {
                "event_id": f"{visitor}-{token}-{n}",
                "type": kind,
                "visitor": visitor,
                "token": token,
                "products": [{"id": p} for p in products],
            }
            for n, (kind, products) in enumerate(steps)
        )
    )


def buy(door, visitor, product, order, price="10.00", quantity=1, **fields):
    return door.send(
        {
            "event_id": f"buy-{order}",
            "type": "purchase",
            "visitor": visitor,
            "order": order,
            "products": [{"id": product, "quantity": quantity, "price": price}],
            **fields,
        }
    )


def served(door, placement, **query):
    answer = door.get(f"/v1/recommendations/{placement}", **query).json()
    door.run(door.installation.served.flush())
    return answer["token"], [item["id"] for item in answer["items"]]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A shop in which two visitors used the product page's recommendations."""
    with open_door(tmp_path_factory.mktemp("reports")) as door:
        for product in ("a", "b", "c", "d"):
            door.put_product(product, price="10.00", stock=9)
        for n in range(6):
            buy(door, f"x{n}", "a", f"seed-{n}")
            door.send(
                {
                    "event_id": f"view{n}",
                    "type": "view",
                    "visitor": f"x{n}",
                    "product": "abcd"[n % 4],
                }
            )
        door.build()
        for visitor in ("ann", "ben"):
            token, ids = served(
                door, "popular", visitor=visitor, device="phone", zone="GB", count=3
            )
            assert len(ids) == 3
            browse(
                door, visitor, token, ("impression", ids), ("click", ids[:1]), ("cart_add", ids[:1])
            )
            buy(door, visitor, ids[0], f"o-{visitor}", quantity=2, total="25.00")
        door.send(
            {
                "event_id": "back",
                "type": "refund",
                "visitor": "ben",
                "order": "o-ben",
                "products": [{"id": ids[0], "quantity": 1}],
            }
        )
        yield door


def report(door, **query):
    answer = door.get("/v1/reports/performance", **query)
    assert answer.status == 200, answer
    return answer.json()


def test_a_placement_with_all_its_figures(told):
    (row,) = report(told, assortment="true")["rows"]
    assert row["placement"] == "popular"
    counts = {n: row[n] for n in ("slates", "served", "seen", "clicked", "carted", "bought")}
    assert counts == {
        "slates": 2, "served": 6, "seen": 6, "clicked": 2, "carted": 2, "bought": 2,
    }  # fmt: skip
    assert row["ctr"] == pytest.approx(1 / 3, abs=1e-6)
    assert (row["add_to_cart_rate"], row["conversion"]) == (row["ctr"], 1.0)
    assert (row["orders"], row["units"], row["revenue"]) == (2, 3, "30.00")
    assert (row["visitors"], row["revenue_per_visitor"]) == (2, "15.00")
    assert (row["products"], row["coverage"]) == (3, 0.75)
    assert row["concentration"] == pytest.approx(1 / 3, abs=1e-6)
    assert row["diversity"] == pytest.approx(3, abs=1e-6)


def test_how_long_answers_took_in_the_shop(told):
    (row,) = report(told)["rows"]
    assert 0 < row["p50_ms"] <= row["p99_ms"] < 60_000
    (by_day,) = report(told, group_by="day,device")["rows"]
    assert (by_day["p50_ms"], by_day["p99_ms"]) == (row["p50_ms"], row["p99_ms"])
    for kept_without in ("strategy", "product", "segment"):
        assert {r["p50_ms"] for r in report(told, group_by=kept_without)["rows"]} <= {None}


def test_products_are_counted_only_when_asked_for(told):
    plain = report(told)
    for row in (*plain["rows"], plain["total"]):
        names = ("products", "coverage", "concentration", "diversity")
        assert [row[n] for n in names] == [None] * 4
    total = report(told, assortment="true")["total"]
    assert (total["products"], total["coverage"]) == (3, 0.75)


def test_the_organic_baseline_stands_beside(told):
    baseline = report(told)["baseline"]
    assert baseline["revenue"] == "90.00"
    assert (baseline["recommended"], baseline["organic"]) == ("30.00", "60.00")
    assert (baseline["orders"], baseline["recommended_orders"]) == (8, 2)
    assert baseline["reported"] == "50.00"
    assert baseline["buyers"] == 8


@pytest.mark.parametrize(
    "group", ["day", "strategy", "product", "zone", "device", "rule", "segment", "variant"]
)
def test_every_dimension(told, group):
    found = report(told, group_by=group)
    assert found["group_by"] == [group]
    rows = {row[group]: row for row in found["rows"]}
    if group in ("rule", "segment"):
        assert rows == {}
        return
    assert sum(row["served"] for row in rows.values()) == 6
    assert sum(float(row["revenue"]) for row in rows.values()) == 30.0
    expected = {"zone": {"GB"}, "device": {"phone"}, "variant": {None}}
    assert set(rows) == expected.get(group, set(rows))


def test_several_dimensions_and_filters(told):
    found = report(told, group_by="placement,strategy", product="a")
    assert {row["placement"] for row in found["rows"]} == {"popular"}
    assert found["total"]["products"] <= 1
    assert report(told, placement="home")["rows"] == []
    assert report(told, **{"from": "2020-01-01", "to": "2020-01-31"})["total"]["served"] == 0


def test_csv_and_parquet_hold_the_same_rows(told, tmp_path):
    rows = report(told, group_by="product")["rows"]
    answer = told.get("/v1/reports/performance", group_by="product", format="csv")
    read = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["product"] for row in read] == [row["product"] for row in rows]
    assert [row["revenue"] for row in read] == [row["revenue"] for row in rows]
    answer = told.get("/v1/reports/performance", group_by="product", format="parquet")
    file = tmp_path / "r.parquet"
    file.write_bytes(answer.body)
    stored = duckdb.execute(f"SELECT product, revenue_minor FROM '{file}'").fetchall()
    assert [(p, f"{minor / 100:.2f}") for p, minor in stored] == [
        (row["product"], row["revenue"]) for row in rows
    ]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"group_by": "colour"}, "/query/group_by"),
        ({"group_by": "day,day"}, "/query/group_by"),
        ({"group_by": "product,device"}, "/query/group_by"),
        ({"from": "yesterday"}, "/query/from"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "/query/from"),
        ({"window": "400"}, "/query/window"),
        ({"model": "first"}, "/query/model"),
        ({"limit": "0"}, "/query/limit"),
        ({"format": "pdf"}, "/query/format"),
        ({"currency": "euro"}, "/query/currency"),
        ({"placment": "home"}, "/query/placment"),
    ],
)
def test_wrong_questions_name_the_field(told, query, pointer):
    answer = told.get("/v1/reports/performance", **query)
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_programs_are_left_out_by_their_name(tmp_path):
    with open_door(tmp_path) as door:
        door.put_product("a", price="1.00", stock=1)
        served(door, "popular", visitor="crawler")
        headers = [("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")]
        event = {"event_id": "e", "type": "view", "visitor": "crawler", "product": "a"}
        assert door.post("/v1/events", event, headers).status == 202
        assert report(door)["total"]["slates"] == 0
        served(door, "popular", visitor="ann")
        # The database is kept for two seconds; a new one sees the slate.
        door.installation.measuring.close()
        assert report(door)["total"]["slates"] == 1


def test_sql_on_the_command_line_while_the_shop_is_open(told):
    told.installation.measuring.shops["default"].fold()
    folder = told.installation.settings.data
    sql = "SELECT placement, sum(clicked)::INT AS clicks FROM shown GROUP BY placement"
    shown = CliRunner().invoke(app, ["sql", sql, "--data", folder, "--json"])
    assert json.loads(shown.stdout) == [{"placement": "popular", "clicks": 2}]
    tables = CliRunner().invoke(app, ["sql", "--data", folder])
    assert "credits: Lines of `sales`" in tables.stdout
    refused = CliRunner().invoke(app, ["sql", "DROP VIEW sales", "--data", folder])
    assert isinstance(refused.exception, InvalidInput)
