"""The archive in object storage: pushed after every change, pulled where another changed it.

`index.json` names every part with its size and digest, says how far the archive is, and counts
`turns`: how often parts were taken out or written anew (erasures, days that expired). It is written
after the parts it names. A folder whose turn is another than the index's, or that is less far, is
made what the index says; else the folder is ahead and is pushed. So a part from before an erasure
is never pushed again.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from endcap.core.durable import replace, sync
from endcap.core.errors import StoreUnavailable
from endcap.core.ports import Objects

from .archive import STATE, ArchiveState, read_state

INDEX = "index.json"
OWN = "mirror.json"


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Size and BLAKE2b-256 digest of a part; `changed` is the file's time here, in ns."""

    bytes: int
    digest: str
    changed: int = 0


class Index(msgspec.Struct, frozen=True):
    """What the storage holds of one archive."""

    turn: int = 0
    state: ArchiveState = ArchiveState()
    parts: dict[str, Part] = {}


class Mirror:
    """One shop's archive in `folder` and below `home` in the storage."""

    def __init__(self, folder: Path, objects: Objects, home: str) -> None:
        self._folder = folder
        self._objects = objects
        self._home = home

    def pull(self) -> bool:
        """Make the folder what the storage has, where that is newer; whether parts went or changed.

        Raises StoreUnavailable when the storage is away, or a part of it is torn.
        """
        there = self._index()
        own = self._own()
        if there is None or (
            there.turn == own.turn and there.state.seq <= read_state(self._folder).seq
        ):
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        here, pulled = self._parts(own), {}
        for name, part in there.parts.items():
            if name not in here or here[name].digest != part.digest:
                self._fetch(name, part)
            pulled[name] = self._seen(name, part.digest)
        gone = here.keys() - there.parts.keys()
        for name in gone:
            (self._folder / name).unlink()
        replace(self._folder / STATE, msgspec.json.encode(there.state))
        replace(self._folder / OWN, msgspec.json.encode(Index(there.turn, there.state, pulled)))
        return bool(gone) or any(
            here[name].digest != part.digest for name, part in pulled.items() if name in here
        )

    def push(self) -> None:
        """Store what is new here, and take out what went. Raises StoreUnavailable."""
        there = self._index() or Index()
        own = self._own()
        if there.turn != own.turn:
            raise StoreUnavailable("the archive was changed elsewhere meanwhile; try again")
        here = self._parts(own)
        changed = {name for name, part in here.items() if _differs(there.parts.get(name), part)}
        gone = there.parts.keys() - here.keys()
        taken = bool(gone) or bool(changed & there.parts.keys())
        state = read_state(self._folder)
        if not changed and not gone and state == there.state:
            return
        for name in sorted(changed):
            self._objects.send(self._folder / name, self._home + name)
        index = Index(there.turn + taken, state, here)
        self._objects.put(self._home + INDEX, msgspec.json.encode(index))
        self._objects.remove([self._home + name for name in sorted(gone)])
        replace(self._folder / OWN, msgspec.json.encode(index))

    def changing(self, work: Callable[[], int]) -> int:
        """Run a change of the folder that must reach the storage. Raises StoreUnavailable."""
        self.pull()
        changed = work()
        self.push()
        return changed

    def _index(self) -> Index | None:
        content = self._objects.get(self._home + INDEX)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Index)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreUnavailable(f"{self._home}{INDEX} cannot be read: {error}") from error

    def _own(self) -> Index:
        """The index as this folder knew it last."""
        file = self._folder / OWN
        if not file.exists():
            return Index()
        return msgspec.json.decode(file.read_bytes(), type=Index)

    def _parts(self, own: Index) -> dict[str, Part]:
        """The parts in the folder; only those that changed are read."""
        found: dict[str, Part] = {}
        for file in sorted(self._folder.glob("day=*/*.parquet")):
            name, about = file.relative_to(self._folder).as_posix(), file.stat()
            known = own.parts.get(name)
            if known and (known.bytes, known.changed) == (about.st_size, about.st_mtime_ns):
                found[name] = known
            else:
                found[name] = self._seen(name, _digest(file))
        return found

    def _seen(self, name: str, digest: str) -> Part:
        about = (self._folder / name).stat()
        return Part(about.st_size, digest, about.st_mtime_ns)

    def _fetch(self, name: str, part: Part) -> None:
        target = self._folder / name
        if not name.startswith("day=") or ".." in name:
            raise StoreUnavailable(f"{self._home}{INDEX} names `{name[:100]}`, which is no part")
        target.parent.mkdir(exist_ok=True)
        fresh = target.with_suffix(".pulled")
        whole = self._objects.fetch(self._home + name, fresh) and _digest(fresh) == part.digest
        if not whole:
            fresh.unlink(missing_ok=True)
            raise StoreUnavailable(f"{self._home}{name} is missing or torn; it is tried again")
        sync(fresh)
        fresh.replace(target)
        sync(target.parent)


def _differs(there: Part | None, here: Part) -> bool:
    return there is None or there.digest != here.digest


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
