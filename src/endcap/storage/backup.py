"""A backup: one zip file with the rows of every table and a manifest, readable by any engine."""

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from endcap.core.errors import ConfigurationError, EndcapError

from .copies import Filling, Head, Reading, Row, compare

FORMAT = 1
SEALED = 2
MANIFEST = "manifest.json"
_ENCODER = msgspec.msgpack.Encoder()
LENGTH = 4


class Manifest(msgspec.Struct, frozen=True):
    """What the file holds; `digests` are SHA-256 of the tables' members."""

    format: int
    made_at: int
    counts: dict[str, int]
    digests: dict[str, str]
    heads: list[Head]


def write_backup(source: Reading, file: Path, made_at: int, form: int = FORMAT) -> dict[str, int]:
    """Write the backup beside `file` and move it there when it is complete and on disk.

    `form` says whether rows of visitors are SEALED.
    """
    partial = file.with_name(file.name + ".partial")
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for table in source.tables():
            counts[table], digests[table] = _write_table(archive, table, source.rows(table))
        manifest = Manifest(form, made_at, counts, digests, source.heads())
        archive.writestr(MANIFEST, msgspec.json.encode(manifest))
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(file)
    return counts


def read_backup(file: Path, target: Filling, opens: bool = False) -> dict[str, int]:
    """Fill an empty store from a backup; a target that `opens` takes sealed rows.

    Raises ConfigurationError when the file is no backup, EndcapError when it is damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, file)
            if manifest.format == SEALED and not opens:
                raise ConfigurationError(
                    f"{file}: rows of visitors are sealed; name the file of their keys in "
                    "`backup_keys`"
                )
            for table in manifest.counts:
                _read_table(archive, table, manifest, target)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ConfigurationError(f"{file} cannot be read as a backup: {error}") from error
    written = target.finish(manifest.heads)
    compare(manifest.counts, written)
    return manifest.counts


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{file} is no backup of Endcap: {error}") from error
    if manifest.format > SEALED:
        raise ConfigurationError(f"{file} was made by a newer Endcap (format {manifest.format})")
    return manifest


def _write_table(
    archive: zipfile.ZipFile, table: str, pages: Iterable[list[Row]]
) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    with archive.open(table, "w", force_zip64=True) as stream:
        for page in pages:
            content = _ENCODER.encode(page)
            block = len(content).to_bytes(LENGTH, "big") + content
            stream.write(block)
            digest.update(block)
            count += len(page)
    return count, digest.hexdigest()


def _read_table(archive: zipfile.ZipFile, table: str, manifest: Manifest, target: Filling) -> None:
    digest = hashlib.sha256()
    for page in _pages(archive, table, digest):
        target.fill(table, page)
    if digest.hexdigest() != manifest.digests[table]:
        raise EndcapError(f"the backup is damaged: the rows of {table} have another checksum")


def _pages(archive: zipfile.ZipFile, table: str, digest: Any) -> Iterator[list[Row]]:
    with archive.open(table) as stream:
        while head := stream.read(LENGTH):
            content = stream.read(int.from_bytes(head, "big"))
            digest.update(head + content)
            try:
                yield msgspec.msgpack.decode(content, type=list[Row])
            except msgspec.DecodeError as error:
                raise EndcapError(f"the backup is damaged: {table}: {error}") from error
