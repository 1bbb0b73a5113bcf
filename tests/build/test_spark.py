"""The same kernels on DuckDB and on Spark: the same snapshot, array by array."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from test_kernels import NOW, SHOP, products_of

from endcap.build.archive import archive
from endcap.build.audiences import Audiences
from endcap.build.catalogue_export import export_catalogue
from endcap.build.engines.spark_sql import made_by, spark_sql
from endcap.build.parameters import BuildParameters
from endcap.build.run import BuildInput, build
from endcap.core.event import Event, Line, Served
from endcap.core.times import DAY, HOUR, MINUTE
from endcap.relations.snapshot import Snapshot
from endcap.storage.memory_log import MemoryEventLog
from servers import IN_CI, program

PRODUCTS = [f"p{n:02}" for n in range(24)]
DAYS = (0, 1, 3, 9, 25, 60, 200, 300)
SEGMENTS = {"buyers": "visitor.orders >= 2", "phones": "visitor.device == 'phone'"}
TERMS = ("Red Mug", "red  mug", "lamp", "Lampe")


def catalogue():
    return products_of(
        *(
            {
                "id": product,
                "title": f"{('Red', 'Blue')[n % 2]} thing {n}",
                "categories": [f"Shop > {'ABC'[n % 3]}"],
                "brand": "XYZ"[n % 3],
                "price": f"{n + 1}.50",
                "tags": ["new"] if n % 4 == 0 else [],
            }
            for n, product in enumerate(PRODUCTS)
        )
    )


def events():
    """Visits, searches, carts, orders, refunds and logins of a year, and slates with offers."""
    chosen, made = random.Random(5), []
    for n in range(700):
        visitor = f"v{chosen.randrange(60)}"
        moment = NOW - (chosen.choice(DAYS) * DAY if n % 3 else 0) - chosen.randrange(6 * HOUR)
        where = {
            "zone": chosen.choice([None, "NO", "DE"]),
            "device": chosen.choice([None, "phone"]),
        }
        session = chosen.choice([None, f"s{n}"])
        seen = chosen.sample(PRODUCTS, chosen.randrange(1, 5))
        said = {"visitor": visitor, "session": session, **where}
        if n % 7 == 0:
            query = chosen.choice(TERMS)
            made.append({"type": "search", "query": query, "at": moment - MINUTE, **said})
        for place, product in enumerate(seen):
            kind = chosen.choice(["view", "view", "click", "cart_add", "wishlist_add"])
            made.append({"type": kind, "products": [product], "at": moment + place, **said})
        if n % 4 == 0:
            made.append({"type": "purchase", "products": seen, "at": moment + MINUTE, **said})
        if n % 40 == 0:
            made.append({"type": "refund", "products": seen[:1], "at": moment + HOUR, **said})
        if n % 50 == 0:
            made.append({"type": "merge", "merged": f"v{n % 60}", "at": moment, **said})
        if n % 30 == 0:
            offers = Served(offers=("ten",))
            made.append(
                {"type": "served", "products": seen, "served": offers, "at": moment, **said}
            )
    return made


def written_log():
    log = MemoryEventLog()
    log.append(
        [
            Event(
                shop=SHOP,
                source="t",
                event_id=str(n),
                type=one["type"],
                visitor=one["visitor"],
                session=one["session"],
                occurred_at=one["at"],
                received_at=NOW,
                lines=tuple(Line(p, 1, 250) for p in one.get("products", ())),
                currency="EUR",
                query=one.get("query"),
                zone=one["zone"],
                device=one["device"],
                merged=one.get("merged"),
                served=one.get("served"),
            )
            for n, one in enumerate(events())
        ],
        [],
    )
    return log


def snapshot_of(folder, master):
    job = BuildInput(
        shop=SHOP,
        archive=folder / "archive",
        exported=folder / "exported",
        work=folder / ("duckdb" if master is None else "spark"),
        as_of=NOW,
        built_at=NOW,
        audiences=Audiences(SEGMENTS, {}, "EUR"),
        master=master,
    )
    parameters = BuildParameters(min_pairs=1, min_orders=1, min_lift=0.0)
    return Snapshot.open(build(job, parameters, lambda stage, done: None))


# A shop as small as this one spends its time on compiling what Spark would then run once.
CONFIGURATION = """
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


@pytest.mark.timeout(900)
def test_both_engines_make_the_same_snapshot(tmp_path, monkeypatch):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/spark-defaults.conf").write_text(CONFIGURATION)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))
    (__import__ if IN_CI else pytest.importorskip)("pyspark")
    program("java")
    (tmp_path / "exported").mkdir()
    archive(written_log(), tmp_path / "archive", SHOP, lambda done: None)
    export_catalogue(catalogue(), SHOP, tmp_path / "exported")
    one, two = snapshot_of(tmp_path, None), snapshot_of(tmp_path, "local[2]")
    assert one.manifest.counts == two.manifest.counts
    assert one.manifest.counts["lines"] > 1_500
    assert one.manifest.files.keys() == two.manifest.files.keys()
    compared, rows = 0, 0
    for name in sorted(one.manifest.files):
        if not name.endswith(".npy"):
            assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes(), name
            continue
        made, other = (np.load(snapshot.folder / name) for snapshot in (one, two))
        assert (made.shape, made.dtype) == (other.shape, other.dtype), name
        if made.dtype.kind == "f":
            # Sums are added up in another order.
            np.testing.assert_allclose(made, other, rtol=1e-5, atol=1e-12, err_msg=name)
        else:
            np.testing.assert_array_equal(made, other, err_msg=name)
        compared, rows = compared + 1, rows + made.size
    assert compared >= 100
    assert rows >= 10_000


def test_without_java_it_is_said(tmp_path):
    pytest.importorskip("pyspark")
    environment = {**os.environ, "PATH": str(tmp_path)}
    environment.pop("JAVA_HOME", None)
    words = ["build", "--engine", "spark", "--data", str(tmp_path / "data")]
    command = [sys.executable, "-c", "from endcap.cli import main; main()", *words]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "Java 17" in ran.stderr


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("SELECT 0.5 * a, 1.0 + p.b, x1.y, 7", "SELECT 0.5D * a, 1.0D + p.b, x1.y, 7"),
        ("ARG_MIN(a, b), ARG_MAX(c, (d, c))", "MIN_BY(a, b), MAX_BY(c, (d, c))"),
        ("BIT_XOR(HASH(a, b))", "BIT_XOR(XXHASH64(a, b))"),
    ],
)
def test_what_differs_is_changed(duckdb, spark):
    assert spark_sql(duckdb) == spark


def test_statements_that_make_something_are_known():
    assert made_by("\nCREATE OR REPLACE TABLE t AS SELECT 1 AS one") == ("t", "SELECT 1 AS one")
    assert made_by("CREATE VIEW v AS\nSELECT 2") == ("v", "SELECT 2")
    assert made_by("SELECT 'CREATE TABLE t AS SELECT'") is None
