import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "build"))
from test_kernels import log_of, products_of, snapshot_of

from endcap.core.errors import SnapshotRefused
from endcap.relations.snapshot import FileEntry, Snapshot, digest, intact
from endcap.storage.snapshots import FolderSnapshots


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    log = log_of(*(("purchase", f"v{n}", ["a", "b", "\u00e9"]) for n in range(4)))
    folder = tmp_path_factory.mktemp("built")
    return snapshot_of(products_of("b", "a", "\u00e9", "A"), log, folder).folder


@pytest.fixture
def copy(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "snapshot"))


def test_products_are_numbered_in_the_order_of_bytes(copy):
    assert Snapshot.open(copy).ids() == ["A", "a", "b", "\u00e9"]


def test_a_torn_file_is_refused(copy):
    file = copy / "also_bought.partner.npy"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(SnapshotRefused, match=r"also_bought\.partner\.npy is missing or torn"):
        Snapshot.open(copy)


def test_a_missing_file_is_refused(copy):
    (copy / "products.ids").unlink()
    with pytest.raises(SnapshotRefused, match=r"products\.ids is missing"):
        Snapshot.open(copy)


def test_a_flipped_bit_is_refused(copy):
    file = copy / "also_bought.score.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(SnapshotRefused, match="not what was written"):
        Snapshot.open(copy)
    assert Snapshot.open(copy, verify=False).version


@pytest.mark.parametrize("change", [{"format": 2}, {"format": "1"}, {"files": None}])
def test_another_format_is_refused(copy, change):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(SnapshotRefused):
        Snapshot.open(copy)


def test_a_folder_without_manifest_is_refused(copy):
    (copy / "manifest.json").unlink()
    with pytest.raises(SnapshotRefused, match="no readable manifest"):
        Snapshot.open(copy)


def test_publishing_makes_it_the_latest(copy, built, tmp_path):
    snapshots = FolderSnapshots(tmp_path / "published")
    assert snapshots.latest("shop") is None
    one = snapshots.publish("shop", copy)
    two = snapshots.publish("shop", Path(shutil.copytree(built, tmp_path / "second")))
    assert one != two
    assert snapshots.latest("shop") == two
    assert snapshots.latest("another shop/..") is None
    assert Snapshot.open(two).version == Snapshot.open(one).version


def test_pruning_keeps_the_newest_and_the_current(built, tmp_path):
    snapshots = FolderSnapshots(tmp_path / "published")
    made = [
        snapshots.publish("shop", Path(shutil.copytree(built, tmp_path / f"copy{n}")))
        for n in range(5)
    ]
    assert snapshots.prune("shop", 2) == 3
    assert [folder.exists() for folder in made] == [False, False, False, True, True]
    assert snapshots.prune("shop", 2) == 0
    assert snapshots.latest("shop") == made[-1]


def test_digests_of_the_first_versions_are_still_checked(tmp_path):
    file = tmp_path / "a.npy"
    file.write_bytes(b"what was written")
    old = FileEntry(16, hashlib.blake2b(b"what was written", digest_size=32).hexdigest())
    new = FileEntry(16, digest(file))
    assert intact(file, old)
    assert intact(file, new)
    file.write_bytes(b"what was writteN")
    assert not intact(file, old)
    assert not intact(file, new)
