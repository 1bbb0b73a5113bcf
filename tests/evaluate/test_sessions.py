"""`endcap evaluate sessions` from end to end on a small generated shop, through the command."""

import json

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from endcap.cli.commands import app
from endcap.evaluate.measures import Collected, interval, measures, per_example, spread_of

TRAILS = ["abcde", "fghij", "klmno"]
NAMED = "session AS SessionId, item AS ItemId, time AS Time"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Sessions that walk along one of three trails; the next product can be known exactly."""
    folder = tmp_path_factory.mktemp("sessions")
    rng = np.random.default_rng(5)
    rows = []
    for session in range(300):
        trail = TRAILS[rng.integers(3)]
        begin = rng.integers(0, 3)
        for pos, item in enumerate(trail[begin : begin + rng.integers(2, 5)]):
            rows.append((session, pos, item, 1_000_000 + session * 100 + pos))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (session INT, pos INT, item VARCHAR, time DOUBLE)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
        for what, file in (
            ("SELECT session, pos, item FROM t WHERE session < 280", "train.parquet"),
            (
                f"SELECT {NAMED} FROM t WHERE session < 280 ORDER BY random()",
                "train.csv",
            ),
            (
                f"SELECT {NAMED} FROM t WHERE session >= 280",
                "test.csv",
            ),
            (
                "SELECT 0 AS example, 0 AS pos, 'b' AS item UNION ALL SELECT 0, 1, 'c' "
                "UNION ALL SELECT 1, 0, 'never seen'",
                "prefixes.parquet",
            ),
            ("SELECT 0 AS example, 'd' AS target UNION ALL SELECT 1, 'a'", "targets.parquet"),
        ):
            connection.execute(f"COPY ({what}) TO '{folder / file}'")
    return folder


def evaluate(*arguments):
    result = CliRunner().invoke(app, ["evaluate", "sessions", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_prefixes_and_targets(data):
    made = evaluate(
        "--train", data / "train.parquet", "--test-prefixes", data / "prefixes.parquet",
        "--test-targets", data / "targets.parquet", "--k", 3, "--strategy", "session_neighbours",
    )  # fmt: skip
    assert made["examples"] == 2
    # One of two is known; the other prefix holds nothing that was ever seen.
    assert made["measures"]["HR@3"] == 0.5
    low, high = made["intervals"]["HR@3"]
    assert low <= 0.5 <= high


def test_whole_sessions_with_times_and_the_default_placement(data):
    arguments = (
        "--train", data / "train.csv", "--test", data / "test.csv", "--k", 5, "--drop-current",
        "--plot", data / "plot.svg",
    )  # fmt: skip
    made = evaluate(*arguments)
    assert made["measures"]["HR@5"] == 1.0
    assert made["measures"]["MRR@5"] > 0.7
    assert (data / "plot.svg").read_text().startswith("<svg")
    again = evaluate(*arguments)
    assert {**again, "latency": 0} == {**made, "latency": 0}


def test_discovery_never_shows_the_session(data):
    back = data / "back.csv"
    back.write_text("SessionId,ItemId,Time\n1,a,1\n1,b,2\n1,a,3\n")
    arguments = ("--train", data / "train.csv", "--test", back, "--k", 5)
    assert evaluate(*arguments)["examples"] == 2
    made = evaluate(*arguments, "--discovery")
    # The way back to `a` is no discovery.
    assert made["examples"] == 1
    assert made["measures"]["HR@5"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--train", "train.parquet"], "give --test"),
        (["--train", "nowhere.csv", "--test", "test.csv"], "there is no file"),
        (["--train", "targets.parquet", "--test", "test.csv"], "cannot be read"),
        (["--train", "train.csv", "--test", "test.csv", "--strategy", "magic"], "cannot work"),
        (["--train", "train.csv", "--test", "test.csv", "--k", "0"], "is not 1 to"),
    ],
)
def test_what_cannot_be_done_is_refused(data, arguments, word, monkeypatch):
    monkeypatch.chdir(data)
    result = CliRunner().invoke(app, ["evaluate", "sessions", *arguments])
    assert result.exit_code != 0
    assert word in result.exception.detail


def collected(*pairs, k=3):
    made = Collected(k)
    for answer, relevant in pairs:
        made.add(np.array(answer, np.int32), np.array(relevant, np.int32), 0.001)
    return made


def test_measures_by_hand():
    found = per_example(
        collected(([5, 1, 2], [1]), ([1, 2, 3], [3, 1, 9]), ([1, 2, 3], []), ([], [1]))
    )
    assert found["hr"].tolist() == [1, 1, 0, 0]
    assert found["mrr"].tolist() == [0.5, 1, 0, 0]
    assert found["recall"] == pytest.approx([1, 2 / 3, 0, 0])
    assert found["precision"] == pytest.approx([1 / 3, 2 / 3, 0, 0])
    ideal = 1 + 1 / np.log2(3) + 0.5
    assert found["ndcg"] == pytest.approx([1 / np.log2(3), (1 + 0.5) / ideal, 0, 0])


def test_the_interval_is_that_of_a_mean():
    values = (np.arange(1_000) < 300).astype(float)
    measure = interval(values)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1_000)
    assert measure.value == 0.3
    assert measure.low == pytest.approx(0.3 - half, abs=0.004)
    assert measure.high == pytest.approx(0.3 + half, abs=0.004)
    assert interval(values) == measure


def test_coverage_and_popularity():
    clicks = np.array([10, 1, 1, 0], np.int64)
    found = spread_of(collected(([0], [1]), ([0, 2], [1])), clicks)
    assert found["coverage"] == 0.5
    assert found["popularity"] > found["popularity_of_relevant"]
    assert measures(collected(([0], [0])))["hr"].value == 1.0
