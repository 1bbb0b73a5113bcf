"""Published snapshots in a folder, with a pointer file that is replaced in one step."""

import shutil
from pathlib import Path

from endcap.core.durable import sync

from .folder_lock import folder_lock

CURRENT = "CURRENT"


class FolderSnapshots:
    """One folder per shop below `root`; `CURRENT` holds the name of the newest snapshot."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def publish(self, shop: str, built: Path) -> Path:
        """See the port. `built` must lie on the same file system."""
        home = self._home(shop)
        home.mkdir(parents=True, exist_ok=True)
        with folder_lock(home / "publish.lock", wait=True):
            number = max((int(f.name) for f in self._all(shop)), default=0) + 1
            target = home / f"{number:08}"
            built.rename(target)
            sync(home)
            fresh = home / f"{CURRENT}.new"
            fresh.write_text(target.name, "utf-8")
            sync(fresh)
            fresh.replace(home / CURRENT)
            sync(home)
        return target

    def latest(self, shop: str) -> Path | None:
        """See the port."""
        pointer = self._home(shop) / CURRENT
        if not pointer.is_file():
            return None
        folder = self._home(shop) / pointer.read_text("utf-8").strip()
        return folder if folder.is_dir() else None

    def kept(self, shop: str) -> list[Path]:
        """See the port."""
        return self._all(shop)[::-1]

    def prune(self, shop: str, keep: int) -> int:
        """See the port. The current one always stays."""
        current = self.latest(shop)
        old = self._all(shop)[: -max(1, keep)]
        gone = [folder for folder in old if folder != current]
        for folder in gone:
            shutil.rmtree(folder)
        return len(gone)

    def _home(self, shop: str) -> Path:
        # Hexadecimal, because a shop's name may hold what a folder's name may not.
        return self._root / shop.encode().hex()

    def _all(self, shop: str) -> list[Path]:
        home = self._home(shop)
        return sorted(f for f in home.iterdir() if f.name.isdigit()) if home.is_dir() else []
