"""Backups and moves carry everything from any engine to any other, or say that they did not."""

import subprocess
import sys
import zipfile

import pytest
from emptying import empty
from ids import EVERY
from test_control_port import record
from test_event_log_port import SHOP, event, letter

from endcap.core.errors import ConfigurationError, EndcapError
from endcap.core.event import Line
from endcap.core.product import ProductWrite
from endcap.storage.backup import read_backup, write_backup
from endcap.storage.copies import copy
from endcap.storage.sql.sqlite import SqliteStore
from endcap.storage.stores import open_reading

ENGINES = ("sqlite", "mariadb", "mongodb", "postgresql")


def fill(store):
    store.catalogue.write(SHOP, [ProductWrite(i, i.encode()) for i in EVERY], 5)
    store.catalogue.write(SHOP, [ProductWrite(EVERY[0], None)], 6)
    store.catalogue.write("other", [ProductWrite("p", b"{}")], 6)
    lines = (Line("a", 2, 255), Line("b ", 1, None))
    events = [event(i, visitor=i, lines=lines, query="\0\xff", rating=4.5) for i in EVERY]
    store.events.append(events, [letter(b"\0\xff"), letter(b"2", shop="other")])
    for body in (b"1", None, b"3"):
        store.control.put(SHOP, record("home", body=body), None)
    store.control.put("other", record("r", kind="rule"), None)


def content(store):
    return (
        store.catalogue.changes(SHOP, 0, 1_000),
        store.catalogue.changes("other", 0, 1_000),
        store.events.after(SHOP, 0, 1_000),
        store.events.dead_letters(SHOP, 0, 1_000),
        store.events.dead_letters("other", 0, 1_000),
        store.control.history(SHOP, "placement", "home"),
        store.control.marks(SHOP),
        store.control.marks("other"),
    )


@pytest.fixture
def stores(request, tmp_path):
    """A function that opens an empty store of a kind; the two of a pair are two databases."""
    opened = []

    def make(kind):
        if kind == "sqlite":
            store = SqliteStore(tmp_path / f"store{len(opened)}")
            opened.append(store)
            return store
        return request.getfixturevalue("opened")[kind]

    yield make
    for store in opened:
        store.close()


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize("source", ENGINES)
def test_a_backup_of_any_engine_is_restored_on_any_other(stores, source, target, tmp_path):
    first = stores(source)
    fill(first)
    before = content(first)
    with first.reading() as reading:
        counts = write_backup(reading, tmp_path / "b.zip", 7)
    second = stores(target)  # a server's store is emptied by this
    with second.filling() as filling:
        assert read_backup(tmp_path / "b.zip", filling) == counts
    assert content(second) == before
    assert counts["events"] == len(EVERY)
    assert counts["products"] == len(EVERY) + 1
    # Places, changes and versions go on where they were.
    (change,) = second.catalogue.write(SHOP, [ProductWrite("new", b"{}")], 9)
    assert change.change == before[0][-1].change + 1
    assert second.events.append([event("new"), event(EVERY[0])], [letter()]) == [True, False]
    assert second.events.last(SHOP) > before[2][-1].seq
    assert second.control.put(SHOP, record("home"), 3).version == 4


@pytest.mark.parametrize("target", ["mariadb", "mongodb", "postgresql"])
def test_a_shop_moves_from_sqlite_to_a_server(stores, target):
    first, second = stores("sqlite"), stores(target)
    fill(first)
    with first.reading() as reading, second.filling() as filling:
        counts = copy(reading, filling)
    assert content(second) == content(first)
    assert counts == {
        "products": len(EVERY) + 1,
        "events": len(EVERY),
        "dead_letters": 2,
        "control": 4,
    }
    with pytest.raises(ConfigurationError, match="must be empty"), second.filling():
        pass


def test_a_place_is_not_given_again_after_the_newest_events_were_erased(stores, tmp_path):
    first = stores("sqlite")
    first.events.append([event("a"), event("b")], [])
    last = first.events.last(SHOP)
    with first.write() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE event_id = 'b'")
    with first.reading() as reading:
        write_backup(reading, tmp_path / "b.zip", 7)
    for kind in ENGINES:
        second = stores(kind)
        with second.filling() as filling:
            read_backup(tmp_path / "b.zip", filling)
        second.events.append([event("c")], [])
        assert second.events.last(SHOP) > last
        if kind != "sqlite":
            empty(second)


def test_a_copy_that_loses_rows_is_told(stores):
    first, second = stores("sqlite"), stores("sqlite")
    fill(first)

    class Leaky:
        def __init__(self, inner):
            self.inner = inner

        def fill(self, table, rows):
            self.inner.fill(table, rows[1:] if table == "events" else rows)

        def finish(self, heads):
            return self.inner.finish(heads)

    with (
        pytest.raises(EndcapError, match=f"events: {len(EVERY)} read, {len(EVERY) - 1} written"),
        first.reading() as reading,
        second.filling() as filling,
    ):
        copy(reading, Leaky(filling))
    assert second.events.after(SHOP, 0, 10) == []


def test_a_backup_is_taken_while_another_process_writes(tmp_path):
    store = SqliteStore(tmp_path / "s")
    fill(store)
    with open_reading("", tmp_path / "s") as reading:
        store.events.append([event("during")], [])
        counts = write_backup(reading, tmp_path / "b.zip", 7)
    store.close()
    assert counts["events"] in (len(EVERY), len(EVERY) + 1)
    assert not (tmp_path / "b.zip.partial").exists()


@pytest.mark.parametrize("damage", ["digest", "cut", "text"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(stores, tmp_path, damage):
    first, second = stores("sqlite"), stores("sqlite")
    fill(first)
    file = tmp_path / "b.zip"
    with first.reading() as reading:
        write_backup(reading, file, 7)
    if damage == "text":
        file.write_text("no zip")
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-200])
    else:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["events"] = members["events"].replace(b"default", b"Default", 1)
        with zipfile.ZipFile(file, "w") as archive:
            for name, member in members.items():
                archive.writestr(name, member)
    with pytest.raises(EndcapError, match=r"backup"), second.filling() as filling:
        read_backup(file, filling)
    assert second.events.after(SHOP, 0, 10) == []


def endcap(*arguments):
    command = [sys.executable, "-c", "from endcap.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_commands(stores, servers, tmp_path):
    store = SqliteStore(tmp_path / "shop")
    fill(store)
    before = content(store)
    held = endcap(
        "move", "--to", servers["postgresql"].create("moved"), "--data", tmp_path / "shop"
    )
    assert held.returncode == 2
    assert "open in another process" in held.stderr
    made = endcap("backup", tmp_path / "b.zip", "--data", tmp_path / "shop")
    assert made.returncode == 0, made.stderr
    assert f"{len(EVERY)} events" in made.stdout
    store.close()
    url = servers["postgresql"].url("moved")
    moved = endcap("move", "--to", url, "--data", tmp_path / "shop", "--json")
    assert moved.returncode == 0, moved.stderr
    assert f'"events": {len(EVERY)}' in moved.stdout
    again = endcap("move", "--to", url, "--data", tmp_path / "shop")
    assert again.returncode == 2
    assert "must be empty" in again.stderr
    restored = endcap("restore", tmp_path / "b.zip", "--data", tmp_path / "back")
    assert restored.returncode == 0, restored.stderr
    assert endcap("migrate", "--data", tmp_path / "back").returncode == 0
    back = SqliteStore(tmp_path / "back")
    assert content(back) == before
    back.close()
