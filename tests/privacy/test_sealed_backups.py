"""Backups whose visitors are sealed: erasing one makes noise of it in every backup there is."""

import os
import shutil
import zipfile
from unittest.mock import patch

import msgspec
import pytest
from canaries import history, needles, scan, stock

from door import open_door
from endcap.cli import upkeep
from endcap.core.errors import ConfigurationError, EndcapError
from endcap.storage.backup import SEALED, read_backup, write_backup
from endcap.storage.backup_keys import BackupKeys
from endcap.storage.sealed_rows import OpeningFilling, SealedReading
from endcap.storage.sql.sqlite import SqliteStore

SECRET = "0ce8ead21112387365458edb9c2f92d7c991a1a5a74423cf0c6be5690cc87fc3"
PEOPLE = ("canary-ann", "bob", "carol")


def texts(visitor):
    """What would give a visitor away, beside its pseudonyms."""
    return [f"{kind}-of-{visitor}".encode() for kind in ("query", "order")]


def inside(backup):
    """The bytes of a backup, unpacked."""
    with zipfile.ZipFile(backup) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def run(work, file, folder, keys=""):
    """`endcap backup` or `endcap restore`, in this process; what it prints."""
    env = {"ENDCAP_SECRET": SECRET, **({"ENDCAP_BACKUP_KEYS": str(keys)} if keys else {})}
    with patch.dict(os.environ, env), patch.object(upkeep, "show") as shown:
        work(file, data=str(folder), json=True)
    return shown.call_args.args[0]


def restored(backup, folder, keys):
    return run(upkeep.restore, backup, folder, keys)


def export_of(folder, visitor):
    with open_door(folder, secret=SECRET) as door:
        return door.get(f"/v1/visitors/{visitor}/export").json()


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A shop backed up, sealed and plain; then one visitor is erased."""
    home = tmp_path_factory.mktemp("sealed")
    folder, keys = home / "data", home / "elsewhere" / "keys.db"
    settings = {"secret": SECRET, "backup_keys": str(keys)}
    with open_door(folder, **settings) as door:
        stock(door)
        for n, visitor in enumerate(PEOPLE):
            assert door.send(*history(visitor, n))["accepted"] == 3
            chosen = door.call("PUT", f"/v1/visitors/{visitor}/consent", {"sharing": "denied"})
            assert chosen.status == 200
        sought = {visitor: [*needles(door, [visitor]), *texts(visitor)] for visitor in PEOPLE}
    sealed, plain = home / "sealed.zip", home / "plain.zip"
    run(upkeep.backup, sealed, folder, keys)
    run(upkeep.backup, plain, folder)
    shutil.copy(keys, home / "keys-before.db")
    with open_door(folder, **settings) as door:
        erasure = door.call("DELETE", "/v1/visitors/canary-ann").json()
        door.run(door.installation.erasing.erasures.finished("default"))
        done = door.get(f"/v1/erasures/{erasure['id']}").json()
    return {"home": home, "keys": keys, "sealed": sealed, "plain": plain, "sought": sought, **done}


def test_nobody_can_be_found_in_a_sealed_backup(case):
    sealed, plain = inside(case["sealed"]), inside(case["plain"])
    every = [needle for theirs in case["sought"].values() for needle in theirs]
    assert [needle for needle in every if needle in sealed] == []
    # They are there when it is not sealed: the search can find them.
    assert sum(needle in plain for needle in every) >= 12
    assert case["keys"].stat().st_mode & 0o777 == 0o600


def test_after_the_erasure_the_older_backup_holds_everybody_else_only(case):
    assert case["state"] == "verified"
    assert case["removed"]["backups"] == 1
    folder = case["home"] / "again"
    said = restored(case["sealed"], folder, case["keys"])
    assert said["shredded"] == 5  # three events, one refused, her consent
    assert said["erased"] == 0  # no ledger was at hand: the key alone did it
    assert scan(folder, case["sought"]["canary-ann"])[0] == []
    gone, there = export_of(folder, "canary-ann"), export_of(folder, "bob")
    assert (gone["events"], gone["refused_events"]) == ([], [])
    assert gone["consent"]["version"] == 0
    assert len(there["events"]) == 3
    assert there["consent"]["consent"]["sharing"] == "denied"


def test_with_the_keys_of_before_she_would_be_there(case):
    """The negative control: it is the key, and nothing else, that the erasure took away."""
    folder = case["home"] / "with-old-keys"
    said = restored(case["sealed"], folder, case["home"] / "keys-before.db")
    assert said["shredded"] == 0
    assert len(export_of(folder, "canary-ann")["events"]) == 3


def test_without_the_keys_nothing_is_restored(case):
    for name, keys, said in (
        ("no-setting", "", "backup_keys"),
        ("no-file", case["home"] / "missing.db", "missing.db"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            restored(case["sealed"], case["home"] / name, keys)


def test_a_later_backup_knows_her_as_somebody_new(case):
    folder, keys = case["home"] / "data", case["keys"]
    with open_door(folder, secret=SECRET, backup_keys=str(keys)) as door:
        fresh = {"event_id": "new", "type": "view", "visitor": "canary-ann", "product": "mug"}
        assert door.send(fresh)["accepted"] == 1
    backup = case["home"] / "later.zip"
    run(upkeep.backup, backup, folder, keys)
    again = case["home"] / "later"
    assert restored(backup, again, keys)["shredded"] == 0
    assert len(export_of(again, "canary-ann")["events"]) == 1
    assert restored(case["sealed"], case["home"] / "older", keys)["shredded"] == 5


def subject(shop, visitor):
    return f"{shop}/{visitor}"


def test_visitors_being_erased_get_no_key_and_no_row(tmp_path):
    with open_door(tmp_path / "data", secret=SECRET) as door:
        stock(door)
        door.send(*history("canary-ann", 0), *history("bob", 1))
        ann = door.installation.recommender._pseudonyms.visitor("default", "canary-ann")
        store = door.installation.store
        record = store.control.latest("default", "placement")[0]
        mark = msgspec.structs.replace(record, kind="suppressed", name=ann, body=b"{}")
        store.control.put("default", mark, None)
        keys = BackupKeys(tmp_path / "keys.db")
        with store.reading() as reading:
            write_backup(SealedReading(reading, keys, subject), tmp_path / "b.zip", 1, SEALED)
        assert keys.held([subject("default", ann)]) == 0
        target = SqliteStore(tmp_path / "target")
        with target.filling() as filling:
            read_backup(tmp_path / "b.zip", OpeningFilling(filling, keys), opens=True)
        assert len(target.events.after("default", 0, 100)) == 3
        with target.reading() as reading:
            assert "canary-ann" not in repr(list(reading.rows("events")))
        target.close()


class OneRow:
    """A reading of one event."""

    def tables(self):
        return ["events"]

    def rows(self, table):
        yield [{"shop": "s", "visitor": "v", "body": b"x"}] if table == "events" else []

    def heads(self):
        return []


class Refusing:
    """A filling that must get nothing."""

    def fill(self, table, rows):
        raise AssertionError

    def finish(self, heads):
        return {}


def test_a_changed_row_is_not_taken(tmp_path):
    keys = BackupKeys(tmp_path / "keys.db")
    ((row,),) = SealedReading(OneRow(), keys, subject).rows("events")
    assert set(row) == {"key", "sealed"}
    changed = {**row, "sealed": row["sealed"][:-1] + bytes([row["sealed"][-1] ^ 1])}
    for table, bad in (("events", changed), ("dead_letters", row)):
        with pytest.raises(EndcapError):
            OpeningFilling(Refusing(), keys).fill(table, [bad])
    assert keys.forget([subject("s", "v")]) == 1
    opening = OpeningFilling(Refusing(), keys)
    opening.fill("events", [row])
    assert opening.shredded == 1
    assert opening.finish([]) == {}
    with pytest.raises(ConfigurationError):
        BackupKeys(tmp_path).of(["x"])
