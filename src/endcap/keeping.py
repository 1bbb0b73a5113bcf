"""Where archive and snapshots are kept; part of the composition root."""

from pathlib import Path

from endcap.build.mirror import Mirror
from endcap.core.ports import Snapshots
from endcap.settings import Settings
from endcap.storage.object_snapshots import ObjectSnapshots
from endcap.storage.objects import open_objects
from endcap.storage.snapshots import FolderSnapshots


def archive_home(settings: Settings, shop: str) -> Path:
    """The folder of a shop's archive."""
    return settings.folder / "archive" / f"shop={shop.encode().hex()}"


def snapshots_of(settings: Settings) -> Snapshots:
    """Snapshots in the data folder, and in object storage if there is any."""
    folder = settings.folder / "snapshots"
    if not settings.objects_url:
        return FolderSnapshots(folder)
    return ObjectSnapshots(folder, open_objects(settings.objects_url), settings.keep_snapshots)


def mirror_of(settings: Settings, shop: str) -> Mirror | None:
    """The copy of a shop's archive in object storage; None without one."""
    if not settings.objects_url:
        return None
    home = f"archive/shop={shop.encode().hex()}/"
    return Mirror(archive_home(settings, shop), open_objects(settings.objects_url), home)
