"""SQL for analysts reads the shop's tables and can do nothing else."""

import pytest
from shop_log import SHOP, Story

from endcap.build.archive import archive
from endcap.build.reports.analyst import Analyst
from endcap.build.reports.attribution import Attribution
from endcap.build.reports.rollups import Rollups
from endcap.build.reports.tables import ABOUT
from endcap.core.errors import InvalidInput


@pytest.fixture(scope="module")
def analyst(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyst")
    story = Story()
    token = story.serve("v", ["a", "b"])
    story.event("click", "v", ["a"], 1_000, token=token)
    story.event("purchase", "v", [("a", 2, 500)], 2_000, order="o")
    archive(story.log, folder / "archive", SHOP, lambda done: None)
    rollups = Rollups(folder / "archive", folder / "rollups", Attribution(), "500MB", 1)
    rollups.fold()
    (folder / "secret.txt").write_text("secret")
    with Analyst.open(rollups, "500MB", 1, seconds=1.0) as opened:
        opened.folder = folder
        yield opened


def test_every_table_answers(analyst):
    counts = {t: analyst.query(f"SELECT count(*) FROM {t}")[1][0][0] for t in ABOUT}
    assert counts == {
        "shown": 1, "latency": 0, "assortment": 2, "products": 2, "touches": 1, "sales": 1,
        "credits": 1, "visitors": 1, "shadows": 0, "events": 4,
    }  # fmt: skip
    names, rows = analyst.query("SELECT placement, sum(amount_minor) AS m FROM credits GROUP BY 1")
    assert (names, [(p, int(m)) for p, m in rows]) == (["placement", "m"], [("product", 1_000)])


PROBES = (
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '{folder}/secret.txt'",
    "SELECT * FROM read_csv('{folder}/archive/../secret.txt')",
    "SELECT * FROM glob('{folder}/*')",
    "COPY (SELECT 1) TO '{folder}/archive/x.csv'",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "ATTACH '{folder}/other.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '64GB'",
    "PRAGMA enable_profiling",
    "CREATE TABLE t AS SELECT 1",
    "DROP VIEW sales",
    "EXPORT DATABASE '{folder}/archive'",
    "SELECT 1; SELECT 2",
    "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
    "SELECT nothing FROM nowhere",
    "SELEC 1",
    "",
)


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_else_can_be_done(analyst, probe):
    before = sorted(analyst.folder.rglob("*"))
    with pytest.raises(InvalidInput) as refused:
        analyst.query(probe.format(folder=analyst.folder))
    assert refused.value.problems[0].pointer == "/sql"
    assert sorted(analyst.folder.rglob("*")) == before


def test_a_query_without_end_is_stopped(analyst):
    with pytest.raises(InvalidInput, match="cannot run") as refused:
        analyst.query("SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b")
    assert "was stopped" in refused.value.problems[0].message


def test_an_empty_shop_has_its_tables(tmp_path):
    rollups = Rollups(tmp_path / "archive", tmp_path / "rollups", Attribution(), "500MB", 1)
    with Analyst.open(rollups) as opened:
        assert [opened.query(f"SELECT count(*) FROM {t}")[1] for t in ABOUT] == [[(0,)]] * 10
