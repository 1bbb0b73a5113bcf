"""The control port in memory: the reference the other engines are held to."""

import msgspec

from endcap.core.errors import VersionConflict
from endcap.core.placement import ControlRecord


class MemoryControl:
    """Versions by shop, kind and name, oldest first."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str, str], list[ControlRecord]] = {}
        self._marks: dict[tuple[str, str], int] = {}

    def put(self, shop: str, record: ControlRecord, expected: int | None) -> ControlRecord:
        """See the port."""
        versions = self._versions.setdefault((shop, record.kind, record.name), [])
        if expected is not None and expected != len(versions):
            raise VersionConflict(
                f"{record.kind} `{record.name}` is at version {len(versions)}, not {expected}"
            )
        stored = msgspec.structs.replace(record, version=len(versions) + 1)
        versions.append(stored)
        self._mark(shop, record.kind)
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

    def page(self, shop: str, kind: str, after: str, limit: int) -> list[ControlRecord]:
        """See the port."""
        found = [r for r in self.latest(shop, kind) if r.name.encode() > after.encode()]
        return sorted(found, key=lambda record: record.name.encode())[:limit]

    def history(self, shop: str, kind: str, name: str) -> list[ControlRecord]:
        """See the port."""
        return self._versions.get((shop, kind, name), [])[::-1]

    def marks(self, shop: str) -> dict[str, int]:
        """See the port."""
        return {kind: n for (owner, kind), n in self._marks.items() if owner == shop}

    def purge(self, shop: str, kind: str, name: str) -> int:
        """See the port."""
        gone = len(self._versions.pop((shop, kind, name), []))
        if gone:
            self._mark(shop, kind)
        return gone

    def _mark(self, shop: str, kind: str) -> None:
        self._marks[shop, kind] = self._marks.get((shop, kind), 0) + 1
