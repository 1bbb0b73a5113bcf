"""Writing a snapshot: arrays first, the manifest last, each file synced and its digest kept."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from endcap.core.durable import sync
from endcap.relations.snapshot import (
    FORMAT,
    MANIFEST,
    FileEntry,
    Manifest,
    RelationEntry,
    digest,
)

from .engines.engine import Columns
from .relations import EVIDENCE, Made

KINDS: dict[str, Any] = {
    "partner": np.int32,
    "score": np.float32,
    "pairs": np.int32,
    "lift": np.float32,
    "llr": np.float32,
    "shared": np.int32,
    "closeness": np.float32,
}


class SnapshotWriter:
    """Collects the parts of one snapshot in `folder`, which must be empty."""

    def __init__(self, folder: Path, products: int) -> None:
        self.folder = folder
        self.products = products
        self._files: dict[str, FileEntry] = {}
        self._relations: dict[str, RelationEntry] = {}
        self._windows: list[str] = []
        self._tables: dict[str, list[str]] = {}

    def ids(self, ids: list[str]) -> None:
        """The product ids, in the order of their numbers."""
        self.texts("products", ids)

    def texts(self, name: str, ids: list[str]) -> None:
        """Texts in the order of their numbers."""
        texts = [text.encode() for text in ids]
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        (self.folder / f"{name}.ids").write_bytes(b"".join(texts))
        self._done(f"{name}.ids")
        self._array(f"{name}.offsets", offsets)

    def table(self, name: str, columns: Columns) -> None:
        """Arrays that belong together, under one name."""
        for column, values in columns.items():
            self._array(f"{name}.{column}", values)
        self._tables[name] = list(columns)

    def adopt(self, names: list[str], files: list[str], earlier: Manifest) -> None:
        """Take in parts whose files lie in the folder already, as an earlier snapshot has them."""
        for file in files:
            self._files[file] = earlier.files[file]
        for name in names:
            if name in earlier.relations:
                self._relations[name] = earlier.relations[name]
            if name in earlier.tables:
                self._tables[name] = earlier.tables[name]

    def relation(self, name: str, made: Made) -> None:
        """The rows of a relation, which come sorted by product and falling score."""
        rows = made.rows
        counts = np.bincount(rows["a"], minlength=self.products)
        offsets = np.zeros(self.products + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        totals = np.zeros(self.products, np.int32)
        totals[made.totals["product"]] = made.totals["total"]
        self._array(f"{name}.offsets", offsets)
        self._array(f"{name}.totals", totals)
        columns = EVIDENCE[name]
        for column, source in (("partner", "b"), ("score", "score"), *((c, c) for c in columns)):
            self._array(f"{name}.{column}", rows[source].astype(KINDS[column]))
        self._relations[name] = RelationEntry(made.units, len(rows["a"]), list(columns))

    def popularity(self, days: int, rows: Columns) -> None:
        """Counts of one window; a product without a row counts 0."""
        window = f"{days}d"
        for column in ("score", "buyers", "orders", "carters", "viewers"):
            kind = np.float32 if column == "score" else np.int32
            values = np.zeros(self.products, kind)
            values[rows["product"]] = rows[column]
            self._array(f"popularity.{window}.{column}", values)
        self._windows.append(window)

    def digests(self) -> dict[str, str]:
        """The digest of each file so far."""
        return {name: entry.digest for name, entry in self._files.items()}

    def finish(self, manifest: dict[str, Any]) -> Manifest:
        """Write the manifest; from here on the snapshot is complete."""
        made = Manifest(
            format=FORMAT,
            relations=self._relations,
            windows=self._windows,
            tables=self._tables,
            files=self._files,
            **manifest,
        )
        content = msgspec.json.format(msgspec.json.encode(made), indent=1)
        (self.folder / MANIFEST).write_bytes(content)
        sync(self.folder / MANIFEST)
        sync(self.folder)
        return made

    def _array(self, name: str, values: npt.NDArray[Any]) -> None:
        np.save(self.folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)
        self._done(f"{name}.npy")

    def _done(self, name: str) -> None:
        file = self.folder / name
        sync(file)
        self._files[name] = FileEntry(file.stat().st_size, digest(file))
