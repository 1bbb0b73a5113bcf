"""The keys that seal each visitor's rows in backups: one file, kept apart from the backups.

A visitor is known here by the hash that the ledger of erasures has of it. Erasing a visitor removes
its key, and with it every copy of its rows in every backup is noise. So this file must not be in
the backups; a copy of it is worth as much as the oldest erasure it does not know of.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from endcap.core.errors import ConfigurationError

AT_ONCE = 500
SECONDS = 60.0


class RowKey(NamedTuple):
    """`name` stands beside the sealed row, and says nothing once the key is gone."""

    name: bytes
    key: bytes


class BackupKeys:
    """Keys by the hash of the visitor, and by their own random name. Calls block."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, subjects: Iterable[str]) -> dict[str, RowKey]:
        """The key of each subject; who has none gets one."""
        wanted = sorted(set(subjects))
        found: dict[str, RowKey] = {}
        with self._open() as connection:
            fresh = [(one, os.urandom(16), os.urandom(32)) for one in wanted]
            connection.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", fresh)
            for part in _parts(wanted):
                query = f"SELECT subject, name, key FROM keys WHERE subject IN ({_marks(part)})"  # noqa: S608
                for subject, name, key in connection.execute(query, part):
                    found[subject] = RowKey(name, key)
        return found

    def named(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """The keys of these names that are still there."""
        found: dict[bytes, bytes] = {}
        with self._open() as connection:
            for part in _parts(sorted(set(names))):
                query = f"SELECT name, key FROM keys WHERE name IN ({_marks(part)})"  # noqa: S608
                found.update(connection.execute(query, part).fetchall())
        return found

    def forget(self, subjects: Iterable[str]) -> int:
        """Remove the keys of subjects for good; how many there were."""
        with self._open() as connection:
            return sum(
                connection.execute(
                    f"DELETE FROM keys WHERE subject IN ({_marks(part)})",  # noqa: S608
                    part,
                ).rowcount
                for part in _parts(sorted(set(subjects)))
            )

    def held(self, subjects: Iterable[str]) -> int:
        """How many of the subjects have a key."""
        with self._open() as connection:
            return sum(
                connection.execute(
                    f"SELECT count(*) FROM keys WHERE subject IN ({_marks(part)})",  # noqa: S608
                    part,
                ).fetchone()[0]
                for part in _parts(sorted(set(subjects)))
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Raises ConfigurationError when the file cannot be used."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(self._file, timeout=SECONDS)
            try:
                # What is deleted is overwritten, in the file and in its journal.
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA journal_mode = TRUNCATE")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS keys (subject TEXT PRIMARY KEY, "
                    "name BLOB NOT NULL UNIQUE, key BLOB NOT NULL) WITHOUT ROWID"
                )
                with connection:
                    yield connection
            finally:
                connection.close()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"backup_keys: {self._file} cannot be used: {error}"
            ) from error


def _marks(part: list[str] | list[bytes]) -> str:
    return ", ".join("?" * len(part))


def _parts(items: list[str] | list[bytes]) -> Iterator[list[str] | list[bytes]]:
    for first in range(0, len(items), AT_ONCE):
        yield items[first : first + AT_ONCE]
