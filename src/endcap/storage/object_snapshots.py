"""Snapshots in object storage: published there, pulled by every process into its own folder.

Below `snapshots/SHOP/` each snapshot has a folder by its version; its manifest is written last,
then `CURRENT`, which names it. A process that sees another name there fetches the manifest and
the files, compares every digest, and only then puts the snapshot among its own. One that is torn,
partial or of another format is handed on as it is, to be refused, and never becomes its own.
"""

import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from endcap.core.errors import SnapshotRefused, StoreUnavailable
from endcap.core.ports import Objects
from endcap.relations.snapshot import MANIFEST, Snapshot, read_manifest

from .snapshots import CURRENT, FolderSnapshots

LOG = logging.getLogger(__name__)
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
THREADS = 8
KEPT = 3


class ObjectSnapshots:
    """See the port `Snapshots`. `root` is the folder for the process' own copies."""

    def __init__(self, root: Path, objects: Objects, keep: int = KEPT) -> None:
        self._root = root
        self._own = FolderSnapshots(root)
        self._objects = objects
        self._keep = keep
        self._known: dict[str, tuple[str, Path]] = {}
        self._away = False
        self._turn = threading.Lock()

    def publish(self, shop: str, built: Path) -> Path:
        """See the port. Raises StoreUnavailable when it is here, but not in the storage."""
        folder = self._own.publish(shop, built)
        manifest = read_manifest(folder)
        home = f"{_home(shop)}{manifest.version}/"
        _all(lambda name: self._objects.send(folder / name, home + name), manifest.files)
        self._objects.send(folder / MANIFEST, home + MANIFEST)
        self._objects.put(_home(shop) + CURRENT, manifest.version.encode())
        self._known[shop] = (manifest.version, folder)
        return folder

    def latest(self, shop: str) -> Path | None:
        """See the port. While the storage is away, the process' own newest."""
        with self._turn:
            return self._latest(shop)

    def _latest(self, shop: str) -> Path | None:
        try:
            version = (self._objects.get(_home(shop) + CURRENT) or b"").decode("ascii", "replace")
            self._away = False
            if not VERSION.fullmatch(version):
                return self._own.latest(shop)
            known = self._known.get(shop)
            if known is None or known[0] != version or not known[1].is_dir():
                self._known[shop] = (version, self._own_copy(shop, version))
            return self._known[shop][1]
        except StoreUnavailable as error:
            if not self._away:
                LOG.warning("snapshots are not looked for: %s", error.detail)
            self._away = True
            return self._own.latest(shop)

    def kept(self, shop: str) -> list[Path]:
        """See the port: those that are here."""
        return self._own.kept(shop)

    def prune(self, shop: str, keep: int) -> int:
        """See the port; in the storage, too, where the manifest goes first."""
        current = (self._objects.get(_home(shop) + CURRENT) or b"").decode("ascii", "replace")
        names = self._objects.names(_home(shop))
        versions = sorted({name.removeprefix(_home(shop)).partition("/")[0] for name in names})
        versions = [version for version in versions if version != CURRENT]
        for version in versions[: -max(1, keep)]:
            if version != current:
                home = f"{_home(shop)}{version}/"
                gone = [name for name in names if name.startswith(home)]
                self._objects.remove(sorted(gone, key=lambda name: name != home + MANIFEST))
        return self._own.prune(shop, keep)

    def _own_copy(self, shop: str, version: str) -> Path:
        for folder in self._own.kept(shop):
            if _version_of(folder) == version:
                return folder
        incoming = self._root / shop.encode().hex() / "incoming" / version
        shutil.rmtree(incoming.parent, ignore_errors=True)
        incoming.mkdir(parents=True)
        try:
            self._pull(f"{_home(shop)}{version}/", incoming)
            Snapshot.open(incoming)
        except SnapshotRefused as error:
            LOG.warning("a snapshot in the object storage is refused: %s", error.detail)
            return incoming
        folder = self._own.publish(shop, incoming)
        self._own.prune(shop, self._keep)
        return folder

    def _pull(self, home: str, incoming: Path) -> None:
        """Fetch the files. Raises SnapshotRefused when there is no use in it."""
        self._objects.fetch(home + MANIFEST, incoming / MANIFEST)
        files = read_manifest(incoming).files
        if any(not VERSION.fullmatch(name) for name in files):
            raise SnapshotRefused(f"{incoming.name}: a file's name is none")
        _all(lambda name: self._objects.fetch(home + name, incoming / name), files)


def _all(work: Callable[[str], object], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(work, names):
            pass


def _version_of(folder: Path) -> str | None:
    try:
        return read_manifest(folder).version
    except SnapshotRefused:
        return None


def _home(shop: str) -> str:
    return f"snapshots/shop={shop.encode().hex()}/"
