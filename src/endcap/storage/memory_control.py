"""The control port in memory: the reference the other engines are held to."""

import msgspec

from endcap.core.errors import VersionConflict
from endcap.core.placement import ControlRecord


class MemoryControl:
    """Versions by shop, kind and name, oldest first."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str, str], list[ControlRecord]] = {}

    def put(self, shop: str, record: ControlRecord, expected: int | None) -> ControlRecord:
        """See the port."""
        versions = self._versions.setdefault((shop, record.kind, record.name), [])
        if expected is not None and expected != len(versions):
            raise VersionConflict(
                f"{record.kind} `{record.name}` is at version {len(versions)}, not {expected}"
            )
        stored = msgspec.structs.replace(record, version=len(versions) + 1)
        versions.append(stored)
        return stored

    def get(self, shop: str, kind: str, name: str, version: int | None) -> ControlRecord | None:
        """See the port."""
        versions = self._versions.get((shop, kind, name), [])
        if version is None:
            return versions[-1] if versions else None
        return versions[version - 1] if 1 <= version <= len(versions) else None

    def latest(self, shop: str, kind: str) -> list[ControlRecord]:
        """See the port."""
        keys = sorted(k for k, v in self._versions.items() if v and k[:2] == (shop, kind))
        newest = [self._versions[key][-1] for key in keys]
        return [record for record in newest if record.body is not None]

    def history(self, shop: str, kind: str, name: str) -> list[ControlRecord]:
        """See the port."""
        return self._versions.get((shop, kind, name), [])[::-1]

    def marks(self, shop: str) -> dict[str, int]:
        """See the port."""
        counts: dict[str, int] = {}
        for (owner, kind, _), versions in self._versions.items():
            if owner == shop and versions:
                counts[kind] = counts.get(kind, 0) + len(versions)
        return counts
