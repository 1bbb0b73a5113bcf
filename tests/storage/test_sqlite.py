import os
import signal
import subprocess
import sys

import pytest
import sqlalchemy
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from test_event_log_port import event, letter

from endcap.core.errors import ConfigurationError, StoreUnavailable, VersionConflict
from endcap.core.product import ProductWrite
from endcap.storage.memory_catalogue import MemoryCatalogue
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.sql import sqlite
from endcap.storage.sql.sqlite import SqliteStore

SHOP = "default"


def test_what_was_written_is_there_after_reopening(tmp_path):
    store = SqliteStore(tmp_path)
    store.events.append([event("a")], [letter()])
    store.catalogue.write(SHOP, [ProductWrite("p", b"{}")], 1)
    store.close()
    store = SqliteStore(tmp_path)
    assert store.events.append([event("a")], []) == [False]
    assert len(store.events.dead_letters(SHOP, 0, 10)) == 1
    assert store.catalogue.get(SHOP, "p").version == 1
    store.close()


def test_a_second_process_is_refused_and_told_who_is_there(tmp_path):
    store = SqliteStore(tmp_path)
    store.lock.describe({"pid": os.getpid(), "url": "http://127.0.0.1:8400"})
    code = "import sys, pathlib; from endcap.storage.sql.sqlite import SqliteStore as S; "
    code += "S(pathlib.Path(sys.argv[1]))"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    store.close()
    assert ran.returncode != 0
    assert f"pid {os.getpid()}, http://127.0.0.1:8400" in ran.stderr
    assert "PostgreSQL" in ran.stderr
    SqliteStore(tmp_path).close()


def test_a_newer_schema_is_refused(tmp_path):
    store = SqliteStore(tmp_path)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version = 99")
    store.close()
    with pytest.raises(ConfigurationError, match="schema 99"):
        SqliteStore(tmp_path)


def test_unsafe_durability_is_refused(tmp_path, monkeypatch):
    def careless(connection, _):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    monkeypatch.setattr(sqlite, "_prepare_writer", careless)
    with pytest.raises(ConfigurationError, match="synchronous=1"):
        SqliteStore(tmp_path)


def test_readers_cannot_write(tmp_path):
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreUnavailable, match="readonly"), store.read() as connection:
        connection.exec_driver_sql("DELETE FROM events")
    store.close()


def test_a_failed_append_leaves_nothing_and_says_so(tmp_path):
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreUnavailable):
        store.events.append([event("good"), event("bad", occurred_at=None)], [])
    assert store.events.after(SHOP, 0, 10) == []
    assert store.events.append([event("good")], []) == [True]
    store.close()


def test_the_version_is_one_without_the_wal_reset_bug():
    assert tuple(map(int, sqlite.sqlite_version().split("."))) >= (3, 51, 3)


WRITER = """
import pathlib, sys
from endcap.core.event import Event
from endcap.storage.sql.sqlite import SqliteStore
store = SqliteStore(pathlib.Path(sys.argv[1]))
start = int(sys.argv[2])
for batch in range(start, start + 100_000):
    ids = [f"{batch}-{n}" for n in range(20)]
    store.events.append([Event(shop="default", source="t", event_id=i, type="view", visitor="v",
                               occurred_at=1, received_at=1) for i in ids], [])
    print(batch, flush=True)
"""


@pytest.mark.slow
def test_ten_kills_lose_nothing_that_was_acknowledged(tmp_path):
    acknowledged = []
    for kill in range(10):
        start = kill * 1_000_000
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(start)], stdout=subprocess.PIPE
        )
        acknowledged += [int(process.stdout.readline()) for _ in range(20 + 7 * kill)]
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        acknowledged += [int(line) for line in rest.split(b"\n")[:-1]]
        assert process.returncode == -signal.SIGKILL
    store = SqliteStore(tmp_path)
    kept = [e.event_id for e in store.events.after(SHOP, 0, 10_000_000)]
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    store.close()
    assert len(acknowledged) >= 500
    assert len(kept) == len(set(kept))
    expected = {f"{batch}-{n}" for batch in acknowledged for n in range(20)}
    assert expected <= set(kept)
    # At most one batch per kill can be there without its acknowledgement having arrived.
    assert len(kept) - len(expected) <= 10 * 20


ids = st.sampled_from(["a", "A", "a ", "b", "\u00e9", "e\u0301"])


class SameAsMemory(RuleBasedStateMachine):
    """Whatever is done, SQLite answers as the reference does."""

    folder = None

    @initialize()
    def start(self):
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.store = SqliteStore(Path(self.folder.name))
        self.catalogue, self.events = MemoryCatalogue(), MemoryEventLog()

    @rule(
        writes=st.lists(
            st.tuples(ids, st.none() | st.binary(max_size=3), st.none() | st.integers(0, 3)),
            max_size=4,
        )
    )
    def write(self, writes):
        asked = [ProductWrite(i, body, expected) for i, body, expected in writes]
        results = []
        for engine in (self.catalogue, self.store.catalogue):
            try:
                results.append(engine.write(SHOP, asked, 5))
            except VersionConflict as conflict:
                results.append(str(conflict))
        assert results[0] == results[1]

    @rule(since=st.integers(0, 20), after=st.just("") | ids, limit=st.integers(1, 5))
    def look(self, since, after, limit):
        real, model = self.store.catalogue, self.catalogue
        assert real.changes(SHOP, since, limit) == model.changes(SHOP, since, limit)
        assert real.page(SHOP, after, limit) == model.page(SHOP, after, limit)
        for i in ("a", "A", "a "):
            assert real.get(SHOP, i) == model.get(SHOP, i)

    @rule(sent=st.lists(st.tuples(ids, ids, st.sampled_from(["x", "y"])), max_size=5))
    def append(self, sent):
        events = [event(i, visitor=v, source=s) for i, v, s in sent]
        assert self.store.events.append(events, []) == self.events.append(events, [])

    @rule(visitor=ids, limit=st.integers(1, 4))
    def follow(self, visitor, limit):
        def plain(events):
            return [(e.event_id, e.source) for e in events]

        real, model = self.store.events, self.events
        assert plain(real.after(SHOP, 0, 100)) == plain(model.after(SHOP, 0, 100))
        mine = real.by_visitor(SHOP, visitor, limit)
        assert plain(mine) == plain(model.by_visitor(SHOP, visitor, limit))

    def teardown(self):
        if self.folder is not None:
            self.store.close()
            self.folder.cleanup()


TestSameAsMemory = SameAsMemory.TestCase
TestSameAsMemory.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_the_log_is_followed_along_its_places(tmp_path):
    # An index on the shop would have all of its rows sorted at every look at the log's end.
    store = SqliteStore(tmp_path)
    try:
        looked = []

        def note(connection, cursor, statement, *_):
            looked.append(statement)

        sqlalchemy.event.listen(store._readers, "before_cursor_execute", note)
        store.events.after("default", 5, 500)
        store.events.last("default")
        sqlalchemy.event.remove(store._readers, "before_cursor_execute", note)
        assert len(looked) == 2
        with store.read() as connection:
            for statement in looked:
                values = ("", "default", 5, 500, 0)[: statement.count("?")]
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plan = " ".join(row[3] for row in rows)
                assert "TEMP B-TREE" not in plan, plan
                assert "USING INDEX" not in plan, plan
    finally:
        store.close()
