"""Snapshots and the archive in a folder or in S3: pulled whole, refused torn, never resurrected."""

import asyncio
import json
import shutil

import duckdb
import pytest

from door import open_door
from endcap.build.archive import parts
from endcap.build.mirror import Mirror
from endcap.core.errors import StoreUnavailable
from endcap.keeping import archive_home
from endcap.relations.snapshot import Snapshot
from endcap.services.live import LiveState
from endcap.storage.object_snapshots import ObjectSnapshots
from endcap.storage.objects import open_objects

SHOP = "default"
HOME = f"shop={SHOP.encode().hex()}/"
HARMS = ("cut", "flipped", "missing", "manifest", "format", "no manifest", "name")


def sell(door, first, count):
    for n in range(first, first + count):
        products = [{"id": "a"}, {"id": "bcdef"[n % 5]}]
        event = {"event_id": f"o{n}", "type": "purchase", "visitor": f"v{n}", "products": products}
        door.send(event)


@pytest.fixture
def door(objects_url, tmp_path):
    with open_door(tmp_path / "one", objects_url=objects_url) as opened:
        for product in "abcdef":
            opened.put_product(product, title=product, stock=9, price="1.00")
        sell(opened, 0, 20)
        opened.build()
        yield opened


def replica(door, url, root):
    store = door.installation.store
    return LiveState(store.catalogue, ObjectSnapshots(root, open_objects(url)), store.events)


def version(live):
    return live.state(SHOP).joined.version


def follow(live):
    return asyncio.run(live.follow_snapshot(SHOP))


def harm(objects, how):
    """Do something to the newest snapshot."""
    home = f"snapshots/{HOME}{objects.get(f'snapshots/{HOME}CURRENT').decode()}/"
    file, manifest = f"{home}also_bought.partner.npy", f"{home}manifest.json"
    content, said = objects.get(file), json.loads(objects.get(manifest))
    if how == "cut":
        objects.put(file, content[:-4])
    elif how == "flipped":
        objects.put(file, content[:-1] + bytes([content[-1] ^ 1]))
    elif how == "missing":
        objects.remove([file])
    elif how == "manifest":
        objects.put(manifest, b"{")
    elif how == "no manifest":
        objects.remove([manifest])
    elif how == "format":
        objects.put(manifest, json.dumps(said | {"format": said["format"] - 1}).encode())
    else:
        files = said["files"] | {"../../../escaped": {"bytes": 1, "digest": ""}}
        objects.put(manifest, json.dumps(said | {"files": files}).encode())


def test_a_new_one_is_pulled_and_a_bad_one_refused(door, objects_url, tmp_path):
    root, objects = tmp_path / "two", open_objects(objects_url)
    steady = replica(door, objects_url, root)
    asyncio.run(steady.load(SHOP))
    good = version(steady)
    assert good == version(door.installation.live)
    assert follow(steady) is False
    sell(door, 20, 5)
    door.build()
    newest = objects.get(f"snapshots/{HOME}CURRENT").decode()
    whole = {name: objects.get(name) for name in objects.names(f"snapshots/{HOME}{newest}/")}
    for how in HARMS:
        harm(objects, how)
        own = shutil.copytree(root, tmp_path / how)
        # One that runs keeps what it has; one that starts finds the last good one.
        starting = replica(door, objects_url, own)
        asyncio.run(starting.load(SHOP))
        for live in (steady, starting):
            assert follow(live) is False, how
            assert version(live) == good, how
            assert live.refused, how
        for name, content in whole.items():
            objects.put(name, content)
        fresh = replica(door, objects_url, own)
        asyncio.run(fresh.load(SHOP))
        assert (version(fresh), fresh.refused) == (newest, None)
    assert not list(tmp_path.rglob("escaped"))
    sell(door, 25, 5)
    door.build()
    assert follow(steady) is True
    assert version(steady) == version(door.installation.live) != newest
    assert steady.refused is None


def test_old_ones_go_and_what_is_there_can_be_opened(door, objects_url, tmp_path):
    for n in range(3):
        sell(door, 100 + n, 1)
        door.build()
    objects = open_objects(objects_url)
    names = objects.names(f"snapshots/{HOME}")
    versions = {name.split("/")[2] for name in names} - {"CURRENT"}
    assert len(versions) == 3
    assert version(door.installation.live) in versions
    snapshots = ObjectSnapshots(tmp_path / "three", objects)
    folder = snapshots.latest(SHOP)
    assert Snapshot.open(folder).version == version(door.installation.live)
    assert snapshots.latest(SHOP) == folder
    assert snapshots.latest("nobody's") is None


def rows(folder):
    files = parts(folder)
    if not files:
        return []
    query = "SELECT seq, visitor, product FROM read_parquet(?, union_by_name = true) ORDER BY ALL"
    with duckdb.connect() as connection:
        return connection.execute(query, [files]).fetchall()


def test_the_archive_can_be_pulled_and_goes_on_elsewhere(door, objects_url, tmp_path):
    home = archive_home(door.installation.settings, SHOP)
    objects = open_objects(objects_url)
    assert any(name.endswith(".parquet") for name in objects.names(f"archive/{HOME}"))
    other = Mirror(tmp_path / "other", objects, f"archive/{HOME}")
    assert other.pull() is False
    assert rows(tmp_path / "other") == rows(home) != []
    # Pulled again nothing changes; a folder that was lost is put back before the next build.
    assert other.pull() is False
    before = rows(home)
    shutil.rmtree(home)
    sell(door, 20, 3)
    door.build()
    assert rows(home)[: len(before)] == before
    assert len({seq for seq, _, _ in rows(home)}) == door.installation.store.events.last(SHOP)


def test_who_is_erased_does_not_come_back_from_another_folder(door, objects_url, tmp_path):
    """Another process archived the same; its old parts must not be pushed again."""
    objects = open_objects(objects_url)
    other = Mirror(tmp_path / "other", objects, f"archive/{HOME}")
    other.pull()
    pseudonym = door.installation.recommender._pseudonyms.visitor(SHOP, "v7")
    assert any(visitor == pseudonym for _, visitor, _ in rows(tmp_path / "other"))
    assert door.call("DELETE", "/v1/visitors/v7").status == 202
    door.run(door.installation.erasing.erasures.finished(SHOP))
    with pytest.raises(StoreUnavailable, match="changed elsewhere"):
        other.push()
    assert other.pull() is True
    assert rows(tmp_path / "other") == rows(archive_home(door.installation.settings, SHOP))
    other.push()
    found = b"".join(objects.get(name) for name in objects.names("archive/"))
    assert pseudonym.encode() not in found
    assert not any(visitor == pseudonym for _, visitor, _ in rows(tmp_path / "other"))


def test_a_torn_part_is_not_taken(door, objects_url, tmp_path):
    objects = open_objects(objects_url)
    (part, *_) = [n for n in objects.names(f"archive/{HOME}") if n.endswith(".parquet")]
    whole = objects.get(part)
    objects.put(part, whole[:-10])
    other = Mirror(tmp_path / "other", objects, f"archive/{HOME}")
    with pytest.raises(StoreUnavailable, match="torn"):
        other.pull()
    assert rows(tmp_path / "other") == []
    objects.put(part, whole)
    other.pull()
    assert rows(tmp_path / "other") == rows(archive_home(door.installation.settings, SHOP))
