"""The demo as a newcomer runs it: one command, real data, counts that plain SQL confirms."""

import json
import re
import shlex
import subprocess
import threading
import tomllib
from importlib import resources
from urllib.request import urlopen

import duckdb
import pytest

from server import Server

SEED = "85123A"
LINES = 541_909
DATA = resources.files("endcap.demo") / "data"
RULES = tomllib.loads(DATA.joinpath("rules.toml").read_text("utf-8"))


class Demo:
    """A running `endcap demo` and what it printed until it was open."""

    def __init__(self, folder):
        self.server = Server("demo", "--port", 0, "--data", folder)
        # Progress goes to standard error; it is read on the side, so that the pipe never fills.
        self.progress = []
        self.reader = threading.Thread(
            target=lambda: self.progress.extend(self.server.process.stderr), daemon=True
        )
        self.reader.start()
        self.printed = ""
        for line in self.server.process.stdout:
            self.printed += line
            if line.startswith("  curl "):
                break
        assert "  curl " in self.printed, "".join(self.progress)[-2000:]
        self.url = re.search(r"http://127\.0\.0\.1:\d+", self.printed)[0]

    def get(self, target):
        with urlopen(self.url + target, timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.server.process.terminate()
        self.server.process.wait(60)
        self.reader.join()
        self.server.process.stdout.close()
        self.server.process.stderr.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder):
    running = Demo(folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def lines():
    """The kept lines of the file, by the published rules written once more in plain SQL."""
    noise = RULES["noise"]
    connection = duckdb.connect(config={"threads": 2})
    notes = [note.replace("'", "''") for note in noise["notes"]]
    note = " OR ".join(f"starts_with(d, '{text}')" for text in notes)
    codes = ", ".join(f"'{code}'" for code in noise["codes"])
    with resources.as_file(DATA / "online_retail.parquet") as file:
        connection.execute(f"CREATE TABLE raw AS SELECT * FROM '{file}'")
    connection.execute(f"""
        CREATE TABLE clean AS
        SELECT *, lower(trim(Description)) AS d FROM raw
        WHERE InvoiceNo NOT LIKE 'A%' AND StockCode NOT IN ({codes})
          AND Description IS NOT NULL AND UnitPrice >= 0.005""")
    connection.execute(f"""
        CREATE TABLE sold AS
        SELECT InvoiceNo, StockCode, InvoiceDate,
               coalesce(CAST(CustomerID AS VARCHAR), InvoiceNo) AS who
        FROM clean
        WHERE NOT ((Description <> upper(Description) AND ({note})) OR d LIKE '?%')
          AND Quantity > 0 AND InvoiceNo NOT LIKE 'C%'""")
    yield connection
    connection.close()


def test_it_prints_addresses_that_answer_and_a_curl_that_works(demo):
    addresses = re.findall(r"http://127\.0\.0\.1:\d+/\S*(?<!')", demo.printed)
    assert len(addresses) >= 3
    for address in addresses:
        with urlopen(address.rstrip("'"), timeout=30) as answer:
            assert answer.status == 200
    command = shlex.split(re.search(r"curl .*", demo.printed)[0])
    ran = subprocess.run([*command, "--silent"], capture_output=True, check=True, timeout=30)
    items = json.loads(ran.stdout)["items"]
    assert len(items) == 4
    assert all(item["reasons"] and item["product"]["title"] for item in items)


def test_the_counts_of_treated_lines_add_up_to_the_file(demo, lines):
    text = " ".join(demo.printed.split())
    total = int(re.search(r"([\d,]+) invoice lines", text)[1].replace(",", ""))
    treated = re.search(r"invoice lines: (.*?)\. Times", text)[1]
    counts = [int(n.replace(",", "")) for n in re.findall(r"\b\d[\d,]*\b", treated)]
    assert total == LINES == sum(counts)
    assert total == lines.execute("SELECT count(*) FROM raw").fetchone()[0]
    assert counts[0] == lines.execute("SELECT count(*) FROM sold").fetchone()[0]
    assert "CC BY 4.0" in demo.printed


def test_what_customers_also_bought_is_what_sql_counts(demo, lines):
    """Customers with both; the 500 latest products of each, a year at most between the two."""
    expected = {
        partner: (pairs, mine, theirs)
        for partner, pairs, mine, theirs in lines.execute(
            """
            WITH bought AS (
              SELECT who, StockCode AS product, max(InvoiceDate) AS moment FROM sold GROUP BY ALL
            ),
            latest AS (
              SELECT * FROM bought
              QUALIFY row_number() OVER (PARTITION BY who ORDER BY moment DESC, product) <= 500
            ),
            totals AS (SELECT product, count(*) AS total FROM latest GROUP BY product)
            SELECT y.product, count(*), any_value(m.total), any_value(t.total)
            FROM latest AS x JOIN latest AS y USING (who)
            JOIN totals AS m ON m.product = x.product JOIN totals AS t ON t.product = y.product
            WHERE x.product = ? AND y.product <> ?
              AND abs(epoch(x.moment) - epoch(y.moment)) <= 365 * 86400
            GROUP BY y.product
            """,
            [SEED, SEED],
        ).fetchall()
    }
    items = demo.get(f"/v1/recommendations/also_bought?seed={SEED}&count=20")["items"]
    units = lines.execute("SELECT count(DISTINCT who) FROM sold").fetchone()[0]
    checked = 0
    for item in items:
        reason = item["reasons"][0]
        assert reason["code"] == "also_bought"
        counts = reason["counts"]
        found = (counts["pairs"], counts["seed_total"], counts["total"])
        assert found == expected[item["id"]], item["id"]
        assert counts["units"] == units
        assert counts["lift"] == pytest.approx(found[0] * units / (found[1] * found[2]), abs=1e-3)
        checked += 1
    assert checked >= 15


def test_what_was_bought_together_is_what_sql_counts(demo, lines):
    """Invoices with both."""
    items = demo.get(f"/v1/recommendations/cart?cart={SEED}&count=10")["items"]
    checked = 0
    for item in items:
        for reason in item["reasons"]:
            if reason["code"] != "bought_together":
                continue
            both = lines.execute(
                "SELECT count(*) FROM (SELECT InvoiceNo FROM sold WHERE StockCode IN (?, ?) "
                "GROUP BY InvoiceNo HAVING count(DISTINCT StockCode) = 2)",
                [SEED, item["id"]],
            ).fetchone()[0]
            seed_total = lines.execute(
                "SELECT count(DISTINCT InvoiceNo) FROM sold WHERE StockCode = ?", [SEED]
            ).fetchone()[0]
            assert reason["counts"]["pairs"] == both
            assert reason["counts"]["seed_total"] == seed_total
            checked += 1
    assert checked >= 5


def test_categories_and_attributes_are_those_of_the_rules_file(demo):
    view = demo.get(f"/v1/products/{SEED}")["product"]
    assert view["title"] == "White Hanging Heart T-Light Holder"
    assert view["categories"] == ["Home > Lighting > T-light holders"]
    assert view["attributes"] == {"colour": "white", "theme": "hearts"}
    paths = {rule["path"] for rule in RULES["category"]} | {"Other"}
    values = {kind: set(RULES[kind].values()) for kind in ("colour", "material", "theme")}
    products, cursor = [], ""
    while cursor is not None:
        page = demo.get(f"/v1/products?limit=1000&cursor={cursor}")
        products += [view["product"] for view in page["data"]]
        cursor = page["next_cursor"]
    assert len(products) >= 3_700
    for product in products:
        assert set(product["categories"]) <= paths
        for kind, value in product.get("attributes", {}).items():
            assert value in values[kind]
    other = sum(product["categories"] == ["Other"] for product in products)
    assert other / len(products) < 0.1
    noise = set(RULES["noise"]["codes"])
    assert not noise & {product["id"] for product in products}


def test_a_second_start_loads_nothing_again(demo, folder):
    before = demo.get("/readyz")
    demo.stop()
    again = Demo(folder)
    try:
        assert "invoice lines" not in again.printed
        assert not [line for line in again.progress if "Building" in line or "events" in line]
        after = again.get("/readyz")
        assert (after["products"], after["snapshot"]) == (before["products"], before["snapshot"])
        assert again.get(f"/v1/recommendations/product?seed={SEED}&count=4")["items"]
    finally:
        again.stop()
