"""The SQL behind a report gives its numbers; reports are saved and looked at again."""

from urllib.parse import urlencode

import pytest

from door import open_door
from endcap.build.reports.analyst import Analyst
from endcap.measuring import rollups_of


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("sql")) as door:
        for n in range(4):
            door.put_product(f"p'{n}", price="10.00", stock=9)
        for n in range(9):
            visitor = f"v{n}"
            answer = door.get(
                "/v1/recommendations/popular", visitor=visitor, count=3, device="pho'ne"
            ).json()
            ids = [item["id"] for item in answer["items"]]
            common = {"visitor": visitor, "token": answer["token"]}
            seen = {"event_id": f"i{n}", "type": "impression"}
            events = [seen | {"products": [{"id": one} for one in ids]}]
            if n % 2:
                events.append({"event_id": f"c{n}", "type": "click", "product": ids[0]})
            door.send(*(common | event for event in events))
            if n % 3 == 0:
                line = {"id": ids[0], "price": "4.50", "quantity": 2}
                bought = {"event_id": f"b{n}", "type": "purchase", "order": f"o{n}"}
                door.send(bought | {"visitor": visitor, "products": [line]})
        door.run(door.installation.served.flush())
        door.build()
        yield door


@pytest.mark.parametrize(
    "asked",
    [
        {"group_by": "placement"},
        {"group_by": "day,device", "model": "any"},
        {"group_by": "strategy", "device": "pho'ne"},
        {"group_by": "product"},
        {"group_by": "segment"},
    ],
)
def test_each_query_gives_the_numbers_of_the_report(shop, asked):
    report = shop.get("/v1/reports/performance", **asked).json()
    queries = shop.get("/v1/reports/performance/sql", **asked).json()["queries"]
    keys = asked["group_by"].split(",")
    rows = {tuple(str(row[key]) for key in keys): row for row in report["rows"]}
    settings = shop.installation.settings
    compared = 0
    with Analyst.open(rollups_of(settings, settings.shop), "500MB", 1) as analyst:
        for query in queries:
            names, found = analyst.query(query["sql"])
            assert names == [*keys, *query["columns"]]
            for row in found:
                values = dict(zip(names, row, strict=True))
                expected = rows[tuple(str(values[key]) for key in keys)]
                for column in query["columns"]:
                    wanted = expected.get(column)
                    if column == "revenue_minor":
                        wanted = round(float(expected["revenue"]) * 100)
                    assert int(values[column]) == wanted, (column, values)
                    compared += 1
    assert compared or asked["group_by"] == "segment"


def test_a_report_is_saved_listed_and_dropped(shop):
    form = {"title": "By <strategy>", "group_by": "strategy", "days": "7", "model": "any"}
    saved = shop.post("/dashboard/reports/save", urlencode(form).encode())
    assert saved.status == 303 and "group_by=strategy" in saved.headers["location"]
    page = shop.get("/dashboard/reports").body.decode()
    assert "By &lt;strategy&gt;" in page and "group_by=strategy&amp;days=7&amp;model=any" in page
    again = shop.get("/dashboard/reports.json", group_by="strategy", days="7").json()
    assert again["days"] == 7 and again["report"]["group_by"] == ["strategy"]
    assert "The SQL behind these numbers" in page and "FROM shown" in page
    (kept,) = shop.get("/v1/saved-reports").json()["data"]
    assert kept["value"]["group_by"] == "strategy"
    dropped = shop.post("/dashboard/reports/drop", urlencode({"name": kept["name"]}).encode())
    assert dropped.status == 303 and shop.get("/v1/saved-reports").json()["data"] == []
    wrong = shop.call("PUT", "/v1/saved-reports/x", {"group_by": "moon", "days": 0})
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/group_by", "/days"]
