"""Rows of visitors in a backup, each sealed under its visitor's own key; the others stay plain.

Wrappers around the reading and the filling of a store, so that a backup knows nothing of it. Rows
of a visitor whose erasure is under way are left out; rows whose key is gone cannot be read and are
counted.
"""

import os
from collections.abc import Callable, Iterable, Iterator

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from endcap.core.errors import EndcapError

from .backup_keys import BackupKeys
from .copies import Filling, Head, Reading, Row

Subject = Callable[[str, str], str]
"""The hash of a visitor (shop, pseudonym), as the ledger of erasures has it."""
SUPPRESSED = "suppressed"
KINDS = frozenset({"consent", "profile", "visitor_tags", SUPPRESSED})
"""Kinds of control data whose names are visitors."""
_NONCE = 12


class SealedReading:
    """A reading whose visitors' rows are `{"key": name, "sealed": …}`."""

    def __init__(self, inner: Reading, keys: BackupKeys, subject: Subject) -> None:
        self._inner = inner
        self._keys = keys
        self._subject = subject
        self._leaving = {
            (row["shop"], row["name"])
            for page in inner.rows("control")
            for row in page
            if row["kind"] == SUPPRESSED
        }

    def tables(self) -> list[str]:
        """See Reading."""
        return self._inner.tables()

    def heads(self) -> list[Head]:
        """See Reading."""
        return self._inner.heads()

    def rows(self, table: str) -> Iterator[list[Row]]:
        """See Reading."""
        for page in self._inner.rows(table):
            owned = [(row, _owner(table, row)) for row in page]
            kept = [(row, owner) for row, owner in owned if owner not in self._leaving]
            subjects = {owner: self._subject(*owner) for _, owner in kept if owner is not None}
            keys = self._keys.of(subjects.values()) if subjects else {}
            sealed: list[Row] = []
            for row, owner in kept:
                if owner is None:
                    sealed.append(row)
                    continue
                found = keys[subjects[owner]]
                sealed.append({"key": found.name, "sealed": _seal(found.key, table, row)})
            yield sealed


class OpeningFilling:
    """A filling that takes such rows; `shredded` counts those whose key is gone."""

    def __init__(self, inner: Filling, keys: BackupKeys) -> None:
        self._inner = inner
        self._keys = keys
        self._shredded: dict[str, int] = {}

    @property
    def shredded(self) -> int:
        """How many rows could not be read, as their visitors were erased."""
        return sum(self._shredded.values())

    def fill(self, table: str, rows: list[Row]) -> None:
        """See Filling. Raises EndcapError for a row that was changed."""
        names = {row["key"] for row in rows if "sealed" in row}
        keys = self._keys.named(names) if names else {}
        opened = [
            row if "sealed" not in row else _open(keys[row["key"]], table, row["sealed"])
            for row in rows
            if "sealed" not in row or row["key"] in keys
        ]
        self._shredded[table] = self._shredded.get(table, 0) + len(rows) - len(opened)
        if opened:
            self._inner.fill(table, opened)

    def finish(self, heads: Iterable[Head]) -> dict[str, int]:
        """See Filling; shredded rows count as written, as the backup counts them."""
        written = self._inner.finish(heads)
        return {table: count + self._shredded.get(table, 0) for table, count in written.items()}


def _owner(table: str, row: Row) -> tuple[str, str] | None:
    """The shop and pseudonym a row belongs to."""
    if table == "control":
        return (row["shop"], row["name"]) if row["kind"] in KINDS else None
    visitor = row.get("visitor") if table in ("events", "dead_letters") else None
    return (row["shop"], visitor) if visitor else None


def _seal(key: bytes, table: str, row: Row) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(row), table.encode())


def _open(key: bytes, table: str, sealed: bytes) -> Row:
    try:
        content = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], table.encode())
    except InvalidTag as error:
        raise EndcapError(f"the backup is damaged: a sealed row of {table} was changed") from error
    row: Row = msgspec.msgpack.decode(content)
    return row
