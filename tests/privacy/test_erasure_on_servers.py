"""What an erasure leaves in the files of database servers, and what the documented step clears.

Each test has a server of its own, restarted before every look, so that nothing is in memory only.
"""

import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from canaries import history, needles, scan, stock

from door import open_door
from servers import SERVERS, Postgres

CANARIES = [f"canary-{n:02}-srv" for n in range(3)]
OTHERS = [f"other-{n:02}" for n in range(8)]
GUIDE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")


def restart(server):
    fast = signal.SIGINT if isinstance(server, Postgres) else signal.SIGTERM
    server.process.send_signal(fast)
    server.process.wait(60)
    server.start()


def found_in(server, sought):
    """How many needles are in which file of the server."""
    hits = {}
    for file in server.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            count = sum(needle in content for needle in sought)
            if count:
                hits[file.relative_to(server.folder).as_posix()] = count
    return hits


@contextmanager
def erased_on(kind, folder):
    """The server after the erasure of the canaries, the needles, and where they were before."""
    server = SERVERS[kind]()
    try:
        url = server.create("erasing")
        with open_door(folder, store_url=url) as door:
            stock(door)
            for n, visitor in enumerate([*OTHERS, *CANARIES]):
                receipt = door.send(*history(visitor, n))
                assert (receipt["accepted"], receipt["rejected"]) == (3, 1)
            sought = needles(door, CANARIES)
        restart(server)
        before = found_in(server, sought)
        assert max(before.values()) >= 3 * len(CANARIES), "the scan must find them first"
        with open_door(folder, store_url=url) as door:
            for visitor in CANARIES:
                assert door.call("DELETE", f"/v1/visitors/{visitor}").status == 202
            door.run(door.installation.erasing.erasures.finished("default"))
            states = {e["state"] for e in door.get("/v1/erasures").json()}
            assert states == {"verified"}
            assert scan(folder, sought)[0] == []  # our own: the ledger
            for visitor in OTHERS:
                assert len(door.get(f"/v1/visitors/{visitor}/export").json()["events"]) == 3
        restart(server)
        yield server, url, sought
    finally:
        server.stop()


def guided(*statements):
    """The statements, which the guide has word for word."""
    for statement in statements:
        assert statement in GUIDE, statement
    return statements


@pytest.mark.slow
def test_postgresql_is_cleared_by_the_documented_step(tmp_path):
    import psycopg

    with erased_on("postgresql", tmp_path / "data") as (server, url, sought):
        left = found_in(server, sought)
        assert any("/base/" in file for file in left)  # why the step is needed
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in guided(
                "VACUUM (FULL, ANALYZE) events, dead_letters, control",
                "VACUUM FULL pg_statistic",
                "CHECKPOINT",
            ):
                connection.execute(statement)
            assert {f for f in found_in(server, sought) if "/pg_wal/" not in f} == set()
            # The write-ahead log: segments are used again as they are, unless they are removed.
            connection.execute("ALTER SYSTEM SET wal_recycle = off")
            connection.execute("SELECT pg_reload_conf()")
            for _ in range(10):
                connection.execute("SELECT pg_switch_wal()")
                connection.execute("CHECKPOINT")
                if not (left := found_in(server, sought)):
                    break
        assert left == {}


@pytest.mark.slow
def test_mariadb_is_cleared_by_the_documented_step_but_for_its_undo_log(tmp_path):
    with erased_on("mariadb", tmp_path / "data") as (server, _, sought):
        with server.connect(database="erasing") as connection, connection.cursor() as cursor:
            for statement in guided("OPTIMIZE TABLE events, dead_letters, control"):
                cursor.execute(statement)
                cursor.fetchall()
        restart(server)
        left = found_in(server, sought)
        assert {f for f in left if f.endswith(".ibd")} == set()
        assert set(left) <= {"d/ib_logfile0", "d/ibdata1"}
        with server.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL innodb_log_file_size = 67108864")
        for _ in range(100):
            left = found_in(server, sought)
            if "d/ib_logfile0" not in left and "d/ib_logfile101" not in left:
                break
            time.sleep(0.1)
        # Old undo records in the system tablespace go when their pages are used again.
        assert set(left) <= {"d/ibdata1"}


@pytest.mark.slow
def test_the_mongodb_double_has_them_in_no_document(tmp_path):
    """Its files keep freed blocks (no `compact` there): only what can be read is looked at."""
    import pymongo

    with erased_on("mongodb", tmp_path / "data") as (_, url, sought):
        looked = 0
        with pymongo.MongoClient(url) as client:
            database = client.get_default_database()
            for name in database.list_collection_names():
                for document in database[name].find():
                    text = repr(document).encode()
                    assert not [needle for needle in sought if needle in text]
                    looked += 1
        assert looked >= 3 * len(OTHERS)
