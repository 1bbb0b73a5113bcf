import duckdb
import pytest
from test_kernels import SHOP, log_of

from endcap.build import archive as module
from endcap.build.archive import archive, parts, read_state
from endcap.core.event import Event, Line, Origin, Served


def lines(folder):
    files = parts(folder)
    if not files:
        return []
    sql = "SELECT seq, line, product FROM read_parquet($files) ORDER BY seq, line"
    return duckdb.execute(sql, {"files": files}).fetchall()


def archived(log, folder):
    return archive(log, folder, SHOP, lambda done: None)


def test_every_line_is_a_row_under_its_day(tmp_path):
    log = log_of(
        ("purchase", "v", ["a", "b", "a"]), ("search", "v", []), ("view", "v", ["c"], {"days": 1})
    )
    state = archived(log, tmp_path)
    assert (state.seq, state.events, state.rows) == (3, 3, 5)
    assert lines(tmp_path) == [(1, 0, "a"), (1, 1, "b"), (1, 2, "a"), (2, 0, None), (3, 0, "c")]
    assert sorted(f.name for f in tmp_path.glob("day=*")) == ["day=2023-11-13", "day=2023-11-14"]


def test_every_column_comes_back(tmp_path):
    event = Event(
        shop=SHOP, source="api", event_id="e\U0001f380", type="purchase", visitor="v", session="s",
        occurred_at=1_700_000_000_123, received_at=1_700_000_000_456,
        lines=(Line("a'\u00e9", 3, 255),), currency="GBP", query="q", rating=4.5, order="o",
        token="t", zone="GB", device="phone", placement="home", reported=765, traffic="staff",
        served=Served(slots=(Origin(("similar", "popular"), ("r1",)),), fallback="popular",
                      experiment="x", variant="b", segments=("vip",), micros=900,
                          offers=("o1",), withheld=("o2",)), merged="w",
    )  # fmt: skip
    log = log_of()
    log.append([event], [])
    archived(log, tmp_path)
    (row,) = duckdb.execute(
        "SELECT * EXCLUDE (day) FROM read_parquet($files)", {"files": parts(tmp_path)}
    ).fetchall()
    assert row == (
        1, 0, "purchase", "api", "e\U0001f380", "v", "s", "a'\u00e9", 3, 255, "GBP",
        1_700_000_000_123, 1_700_000_000_456, "q", "o", "t", "GB", "phone", "home", 4.5,
        765, "staff", ["similar", "popular"], ["r1"], "popular", "x", "b", ["vip"], 900,
            ["o1"], ["o2"], "w",
    )  # fmt: skip


def test_a_second_run_adds_only_what_is_new(tmp_path):
    log = log_of(("view", "v", ["a"]))
    archived(log, tmp_path)
    before = parts(tmp_path)
    assert archived(log, tmp_path) == read_state(tmp_path)
    assert parts(tmp_path) == before
    more = log_of(("view", "v", ["a"]), ("view", "w", ["b"]))
    assert archived(more, tmp_path).seq == 2
    assert [line[2] for line in lines(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("broken", ["_move_in", "replace"])
def test_a_crash_in_the_middle_counts_nothing_twice(tmp_path, monkeypatch, broken):
    log = log_of(*(("view", "v", [f"p{n}"], {"days": n % 3}) for n in range(30)))
    real = getattr(module, broken)

    def crash(*arguments):
        if broken == "_move_in":
            real(*arguments)
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(module, broken, crash)
        with pytest.raises(OSError, match="power cut"):
            archived(log, tmp_path)
    assert parts(tmp_path)
    assert archived(log, tmp_path).rows == 30
    assert sorted(line[2] for line in lines(tmp_path)) == sorted(f"p{n}" for n in range(30))


def test_long_logs_are_split_into_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LINES_PER_PART", 10)
    monkeypatch.setattr(module, "PAGE", 4)
    log = log_of(*(("view", "v", [f"p{n}"]) for n in range(33)))
    done = []
    archive(log, tmp_path, SHOP, done.append)
    assert len(parts(tmp_path)) > 1
    assert len(lines(tmp_path)) == 33
    assert done == sorted(done)
    assert done[-1] == 1.0
