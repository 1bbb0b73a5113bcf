"""The commands from the outside: what they print, what they leave, how they end."""

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from server import Server, command

PRODUCTS = [
    {"id": "mug", "title": "Mug", "price": "9.90", "stock": 4, "categories": ["Kitchen"]},
    {"id": "plate", "title": "Plate", "price": "5.00", "stock": 4, "categories": ["Kitchen"]},
    {"id": "lamp", "title": "Lamp", "price": "30.00", "stock": 4, "categories": ["Home"]},
]
CSV = (
    "event_id,type,visitor,product,quantity,price,order,time\n"
    + "".join(
        f"o-{n},purchase,v-{n},mug,1,9.90,o-{n},2026-01-0{n}\n"
        f"o-{n},purchase,v-{n},plate,2,5.00,o-{n},2026-01-0{n}\n"
        for n in range(1, 6)
    )
    + "e-1,view,v-1,lamp,,,,2026-01-01\n"
)


def write(name, content):
    file = Path(name)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def catalogue_file():
    return write("products.ndjson", "\n".join(json.dumps(product) for product in PRODUCTS))


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["demo", "--help"],
        ["init", "--help"],
        ["serve", "--help"],
        ["import", "--help"],
        ["import", "catalog", "--help"],
        ["import", "events", "--help"],
        ["build", "--help"],
        ["recommend", "--help"],
        ["doctor", "--help"],
    ],
)
def test_every_command_explains_itself(endcap, words):
    ran = endcap(*words)
    assert ran.code == 0
    assert "Usage" in ran.out
    assert len(ran.out.splitlines()) > 5
    if words[0] not in ("--help", "import"):
        assert "--json" in ran.out


def test_the_version_is_printed(endcap):
    assert endcap("--version").out.strip().count(".") == 2


def test_wrong_usage_ends_with_2(endcap):
    assert endcap("nonsense").code == 2
    assert endcap("build", "--nonsense").code == 2
    assert endcap("import", "catalog").code == 2


def test_from_init_to_a_recommendation(endcap):
    made = endcap("init", "--json")
    assert made.code == 0
    assert json.loads(made.out) == {"config": "endcap.toml", "data": "endcap-data"}
    assert Path("endcap-data/endcap.db").exists()
    again = endcap("init")
    assert again.code == 2
    assert "--force" in again.err
    report = endcap("import", "catalog", catalogue_file(), "--json")
    assert (report.code, json.loads(report.out)["written"]) == (0, 3)
    report = endcap("import", "events", write("events.csv", CSV), "--json")
    assert (report.code, json.loads(report.out)["written"]) == (0, 6)
    report = json.loads(endcap("import", "events", "events.csv", "--json").out)
    assert (report["written"], report["duplicates"]) == (0, 6)
    built = endcap("build", "--json")
    assert built.code == 0
    assert json.loads(built.out)["state"] == "done"
    slate = json.loads(endcap("recommend", "product", "--seed", "mug", "--json").out)
    assert slate["items"][0]["id"] == "plate"
    assert slate["items"][0]["reasons"][0]["counts"]["pairs"] == 5
    assert slate["trace"]["strategies"]
    text = endcap("recommend", "product", "--seed", "mug", "--count", 1)
    assert text.code == 0
    assert "plate" in text.out
    found = endcap("doctor", "--json")
    assert found.code == 0
    assert {finding["level"] for finding in json.loads(found.out)} <= {"right", "hint"}
    assert "ok" in endcap("doctor").out
    file = write("cache.toml", 'slate_seconds = 0.0\ncache_url = "memcached://127.0.0.1:1"\n')
    ran = endcap("doctor", "--config", file, "--json")
    levels = {one["text"]: one["level"] for one in json.loads(ran.out)}
    assert levels["the cache (cache_url) does not answer"] == "wrong"
    assert levels["every slate is made anew"] == "hint"


def test_an_import_that_is_taken_in_part_ends_with_3_and_names_the_lines(endcap):
    rows = [PRODUCTS[0], {"id": "bad", "price": "9,90"}, PRODUCTS[1]]
    file = write("rows.ndjson", "\n".join(json.dumps(row) for row in rows))
    ran = endcap("import", "catalog", file)
    assert ran.code == 3
    assert "3 rows read, 2 written" in ran.out
    assert "line 2: /price" in ran.out
    events = [{"type": "view", "visitor": "v", "product": "mug"}, {"type": "view", "visitor": ""}]
    file = write("rows.json", json.dumps([{**event, "event_id": "e"} for event in events]))
    ran = endcap("import", "events", file, "--json")
    assert ran.code == 3
    assert json.loads(ran.out)["rejected"] == 1


def test_a_dry_run_finds_what_the_run_would_and_stores_nothing(endcap):
    bad = CSV + "e-2,purchase,v-1,mug,0,1.00,,2026-01-01\ne-3,view,v-1,mug,,,,1970-01-01\n"
    write("events.csv", bad)
    write("rows.csv", "id,price\na,1\nb,x\n")
    for kind, file in (("events", "events.csv"), ("catalog", "rows.csv")):
        dry = endcap("import", kind, file, "--dry-run", "--json")
        wet = endcap("import", kind, file, "--json")
        assert dry.code == wet.code == 3
        assert json.loads(dry.out) == json.loads(wet.out)
        assert json.loads(wet.out)["written"] > 0


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["ndjson", "json", "csv", "tsv", "parquet"])
def test_every_format_gives_the_same_catalogue(endcap, kind, packed):
    rows = [{"id": f"p-{n}", "title": f"T {n}", "price": "1.50", "stock": n} for n in range(3)]
    if kind == "parquet":
        if packed:
            pytest.skip("Parquet is packed by itself")
        write("rows.json", json.dumps(rows))
        duckdb.sql("COPY (SELECT id, title, price::DECIMAL(9,2) AS price, stock FROM 'rows.json') "
                   "TO 'rows.parquet'")  # fmt: skip
    else:
        separator = "\t" if kind == "tsv" else ","
        content = {
            "ndjson": "\n".join(map(json.dumps, rows)),
            "json": json.dumps(rows),
        }.get(kind) or "\n".join(
            separator.join(map(str, line)) for line in [rows[0], *(row.values() for row in rows)]
        )
        write(f"rows.{kind}", content)
    name = f"rows.{kind}"
    if packed:
        name = write(f"{name}.gz", gzip.compress(Path(name).read_bytes())).name
    ran = endcap("import", "catalog", name, "--json")
    assert ran.code == 0, ran
    assert json.loads(ran.out)["written"] == 3
    shown = json.loads(endcap("recommend", "home", "--json").out)["items"]
    assert {item["id"]: item["product"]["price"] for item in shown} == {
        "p-1": "1.50",
        "p-2": "1.50",
    }


def test_events_from_parquet_with_real_times(endcap):
    duckdb.sql(
        "COPY (SELECT 'e-' || n AS event_id, 'view' AS type, 'v' AS visitor, 'mug' AS product, "
        "TIMESTAMP '2026-01-01 12:00:00' AS time FROM range(3) AS r(n)) TO 'e.parquet'"
    )
    assert json.loads(endcap("import", "events", "e.parquet", "--json").out)["written"] == 3


def test_a_file_that_breaks_half_way_is_told_and_what_came_before_is_kept(endcap):
    write("events.csv", CSV.encode() + b"e-9,view,\xff,mug,,,,\n" * 3_000)
    ran = endcap("import", "events", "events.csv", "--json")
    assert ran.code == 3, ran
    report = json.loads(ran.out)
    assert (report["read"], report["written"], report["rejected"]) == (7, 6, 1)
    assert "not UTF-8" in report["errors"][-1]["errors"][0]["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "catalog", "none.csv"], "there is no file none.csv"),
        (["import", "catalog", "here.xlsx"], "here.xlsx: unknown format"),
        (["recommend", "hoem"], "home"),
        (["recommend", "home", "--count", "0"], "/count"),
        (["build", "--config", "none.toml"], "none.toml"),
        (["doctor", "--config", "bad.toml"], "prt"),
        (["serve", "--config", "typo.toml"], "port"),
        (["serve", "--port", "99999"], "port: 99999 is not 0 to 65535"),
        (["build", "--config", "euro.toml"], "currency: `euro` is no ISO 4217 code"),
        (["build", "--config", "memory.toml"], "build_memory: `much` is no size"),
        (["build", "--config", "threads.toml"], "build_threads: 0 is below 1"),
        (["build", "--config", "secret.toml"], "secret: must be hexadecimal"),
        (["build", "--config", "short.toml"], "secret: must be 64 hexadecimal digits"),
        (["build", "--config", "broken.toml"], "broken.toml"),
        (["build", "--config", "level.toml"], "log_level"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_ends_with_2(endcap, words, said):
    write("here.xlsx", "x")
    write("bad.toml", "prt = 80\n")
    write("typo.toml", 'port = "eighty"\n')
    write("euro.toml", 'currency = "euro"\n')
    write("memory.toml", 'build_memory = "much"\n')
    write("threads.toml", "build_threads = 0\n")
    write("secret.toml", 'secret = "not hex"\n')
    write("short.toml", 'secret = "abcd"\n')
    write("broken.toml", "= =\n")
    write("level.toml", 'log_level = "loud"\n')
    ran = endcap(*words)
    assert ran.code == 2, ran
    assert said in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) <= 2
    assert ran.err.startswith("endcap: ")


def test_the_environment_counts_over_the_file_and_an_option_over_both(endcap, monkeypatch):
    write("endcap.toml", 'data = "from-file"\n')
    endcap("build")
    monkeypatch.setenv("ENDCAP_DATA", "from-environment")
    endcap("build")
    endcap("build", "--data", "from-option")
    assert {p.name for p in Path().iterdir() if p.is_dir()} == {
        "from-file",
        "from-environment",
        "from-option",
    }


def test_every_setting_in_the_file_that_init_writes_is_the_default(endcap):
    from endcap.settings import Settings, read_settings

    endcap("init")
    lines = Path("endcap.toml").read_text().splitlines()
    settings = [line.removeprefix("# ") for line in lines if " = " in line]
    write("all.toml", "\n".join(settings))
    assert read_settings(Path("all.toml"), {}) == Settings()


def test_a_folder_that_cannot_be_made_is_one_line(endcap):
    write("file", "x")
    ran = endcap("build", "--data", "file/below")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "file" in ran.err


def test_a_key_others_can_read_is_refused_with_the_command_that_helps(endcap):
    endcap("build")
    Path("endcap-data/secret.key").chmod(0o644)
    ran = endcap("build")
    assert ran.code == 2
    assert "chmod 600" in ran.err


def test_a_second_process_is_told_where_the_first_one_answers(tmp_path):
    server = Server("serve", "--port", 0, "--json", "--data", tmp_path)
    try:
        url = server.url()
        ran = command("build", "--data", tmp_path)
        assert ran.returncode == 2
        assert url in ran.stderr
        assert str(server.pid) in ran.stderr
        assert command("doctor", "--data", tmp_path).returncode == 1
    finally:
        assert server.stop() == 0


def test_build_says_what_failed_and_ends_with_1(endcap):
    endcap("import", "catalog", catalogue_file())
    # A memory limit that no build fits into.
    write("tiny.toml", 'build_memory = "1KB"\n')
    ran = endcap("build", "--config", "tiny.toml")
    assert ran.code == 1
    assert "the build failed" in ran.err
