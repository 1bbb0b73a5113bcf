"""Incremental builds: a part whose input has not changed is taken over from the last snapshot.

A part is a pure function of some event types' lines (or of the catalogue's features), of the
product numbers, the parameters and the kernels. Its key is a digest of all of these; where the last
snapshot has a part of the same key, its files are linked instead of counted again, so that the
result is what a full build would have made, byte for byte. What depends on the moment of the build
(popularity windows, trends, audiences, live counters) is always counted.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from endcap.core.errors import SnapshotRefused
from endcap.relations.snapshot import FORMAT, Manifest, intact, read_manifest

from .engines.engine import Engine
from .parameters import BuildParameters
from .snapshot_writer import SnapshotWriter


class Reuse:
    """Makes the parts of one build, or takes them from `earlier`, the folder of a snapshot."""

    def __init__(
        self,
        engine: Engine,
        writer: SnapshotWriter,
        parameters: BuildParameters,
        ids: list[str],
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._base = _base(parameters, ids)
        self._earlier: tuple[Path, Manifest] | None = None
        self.keys: dict[str, str] = {}
        self.taken: list[str] = []

    def after(self, earlier: Path | None) -> "Reuse":
        """Take what fits from this snapshot; one that cannot be read is as none."""
        if earlier is not None:
            try:
                self._earlier = (earlier, read_manifest(earlier))
            except SnapshotRefused:
                self._earlier = None
        return self

    def part(self, name: str, inputs: Sequence[str], make: Callable[[], None]) -> None:
        """Make the part, unless it can be taken; `inputs` are event types, features, products."""
        found = self._engine.inputs(inputs)
        self.keys[name] = _hex(f"{self._base}|{name}|{found}")
        if self._earlier is None or not self._take(name, *self._earlier):
            make()

    def _take(self, name: str, folder: Path, manifest: Manifest) -> bool:
        if manifest.keys.get(name) != self.keys[name]:
            return False
        names = [name, *(t for t in manifest.tables if name == "sessions" and "transitions." in t)]
        files = [file for file in manifest.files if _part(file) in names]
        # A file that has been damaged since must not live on in every later snapshot.
        if not all(intact(folder / file, manifest.files[file]) for file in files):
            return False
        for file in files:
            _link(folder / file, self._writer.folder / file)
        self._writer.adopt(names, files, manifest)
        self.taken.append(name)
        return True


def _part(file: str) -> str:
    """The part a file belongs to: `also_bought` of `also_bought.score.npy`."""
    return file.removesuffix(".npy").rpartition(".")[0]


def _base(parameters: BuildParameters, ids: list[str]) -> str:
    """What every part depends on."""
    kernels = resources.files(__package__).joinpath("sql")
    texts = [f"{f.name}{f.read_text('utf-8')}" for f in kernels.iterdir() if f.name[-4:] == ".sql"]
    known: list[Any] = [
        FORMAT,
        metadata.version("endcap"),
        duckdb.__version__,
        msgspec.json.encode(parameters).decode(),
        *sorted(texts),
    ]
    return _hex("|".join(map(str, known)) + "\n".join(ids))


def _hex(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
