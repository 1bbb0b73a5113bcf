"""Opening a snapshot: memory-mapped arrays, refused as a whole when anything about it is off."""

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import IntArray, LongArray
from endcap.core.errors import SnapshotRefused

from .customers import CustomerIndex
from .session_index import SessionIndex
from .transitions import Transitions

FORMAT = 1
MANIFEST = "manifest.json"
SHA = "sha256:"


class FileEntry(msgspec.Struct, frozen=True):
    """Size and digest of one file: `sha256:` and its hex, or the hex of BLAKE2b-256 alone."""

    bytes: int
    digest: str


class RelationEntry(msgspec.Struct, frozen=True):
    """What a relation holds: the number of units counted (baskets, visitors …), rows, columns."""

    units: int
    rows: int
    columns: list[str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is made of and from. Times are UTC milliseconds.

    `keys` are digests of the inputs of the parts that a later build may take over.
    """

    format: int
    shop: str
    version: str
    built_at: int
    as_of: int
    log_seq: int
    counts: dict[str, int]
    parameters: dict[str, Any]
    relations: dict[str, RelationEntry]
    windows: list[str]
    tables: dict[str, list[str]] = {}
    keys: dict[str, str] = {}
    files: dict[str, FileEntry]


class Relation:
    """Partners of each product, best first.

    `partner` int32[m] and `score` float32[m] hold the rows of all products one after the other;
    `offsets` int64[n+1] says where each begins. `totals` int32[n] counts the units that hold the
    product. `evidence` has one array of length m per column.
    """

    def __init__(self, name: str, entry: RelationEntry, folder: Path) -> None:
        self.name = name
        self.units = entry.units
        self.offsets: LongArray = _mapped(folder / f"{name}.offsets.npy")
        self.partner: IntArray = _mapped(folder / f"{name}.partner.npy")
        self.score: npt.NDArray[np.float32] = _mapped(folder / f"{name}.score.npy")
        self.totals: IntArray = _mapped(folder / f"{name}.totals.npy")
        self.evidence: dict[str, npt.NDArray[Any]] = {
            column: _mapped(folder / f"{name}.{column}.npy") for column in entry.columns
        }

    def row(self, index: int) -> slice:
        """Where the partners of a product stand."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))


class Popularity:
    """Counts per product in one window: distinct visitors, and orders less refunds."""

    def __init__(self, window: str, folder: Path) -> None:
        stem = f"popularity.{window}"
        self.score: npt.NDArray[np.float32] = _mapped(folder / f"{stem}.score.npy")
        self.buyers: IntArray = _mapped(folder / f"{stem}.buyers.npy")
        self.orders: IntArray = _mapped(folder / f"{stem}.orders.npy")
        self.carters: IntArray = _mapped(folder / f"{stem}.carters.npy")
        self.viewers: IntArray = _mapped(folder / f"{stem}.viewers.npy")


class Snapshot:
    """One immutable set of relations and counts, by the snapshot's own product numbers."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.version = manifest.version
        self.relations = {
            name: Relation(name, entry, folder) for name, entry in manifest.relations.items()
        }
        self.popularity = {window: Popularity(window, folder) for window in manifest.windows}
        self.tables: dict[str, dict[str, npt.NDArray[Any]]] = {
            name: {column: _mapped(folder / f"{name}.{column}.npy") for column in columns}
            for name, columns in manifest.tables.items()
        }
        sessions = self.tables.get("sessions")
        self.sessions = SessionIndex(sessions) if sessions else None
        bought = self.tables.get("customers")
        self.customers = CustomerIndex(bought) if bought else None
        self.transitions = {
            name.removeprefix("transitions."): Transitions(table)
            for name, table in self.tables.items()
            if name.startswith("transitions.")
        }

    @classmethod
    def open(cls, folder: Path, verify: bool = True) -> "Snapshot":
        """Map the snapshot in `folder`.

        Raises SnapshotRefused when it is torn, partial, of another format, or (with `verify`)
        when any file's digest is not the manifest's.
        """
        manifest = read_manifest(folder)
        for name, entry in manifest.files.items():
            file = folder / name
            if not file.is_file() or file.stat().st_size != entry.bytes:
                raise SnapshotRefused(f"{folder.name}: {name} is missing or torn")
        if verify:
            _check_digests(folder, manifest)
        try:
            return cls(folder, manifest)
        except (OSError, ValueError) as error:
            raise SnapshotRefused(f"{folder.name}: {error}") from error

    def ids(self) -> list[str]:
        """Product ids by number, in the byte order of UTF-8."""
        return self.texts("products")

    def texts(self, name: str) -> list[str]:
        """Texts by number: `products` ids, search `terms`, `audiences`."""
        text = (self.folder / f"{name}.ids").read_bytes()
        offsets = _mapped(self.folder / f"{name}.offsets.npy").tolist()
        return [text[a:b].decode() for a, b in itertools.pairwise(offsets)]


def read_manifest(folder: Path) -> Manifest:
    """The manifest. Raises SnapshotRefused when there is none or it is of another format."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotRefused(f"{folder.name}: no readable manifest ({error})") from error
    if manifest.format != FORMAT:
        raise SnapshotRefused(f"{folder.name}: format {manifest.format}, this is {FORMAT}")
    return manifest


def _check_digests(folder: Path, manifest: Manifest) -> None:
    # Hashing lets go of the interpreter, so that the cores share the work.
    with ThreadPoolExecutor() as threads:
        entries = manifest.files.items()
        found = threads.map(lambda one: intact(folder / one[0], one[1]), entries)
        for name, whole in zip(manifest.files, found, strict=True):
            if not whole:
                raise SnapshotRefused(f"{folder.name}: {name} is not what was written")


def digest(file: Path) -> str:
    """SHA-256 of a file's bytes; processors have instructions for it."""
    with file.open("rb") as stream:
        return f"{SHA}{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def intact(file: Path, entry: FileEntry) -> bool:
    """Whether the file's bytes are those that were written."""
    if entry.digest.startswith(SHA):
        return digest(file) == entry.digest
    # Snapshots of the first versions.
    with file.open("rb") as stream:
        made = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32))
    return made.hexdigest() == entry.digest


def _mapped(file: Path) -> npt.NDArray[Any]:
    mapped: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    # The same pages without numpy's memmap class, whose every slice costs a Python call.
    return mapped.view(np.ndarray)
