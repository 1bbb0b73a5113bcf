"""The ledger of erasures: a file beside the store, so that a store put back from a backup is seen.

One line per erasure: shop, hash of the visitor, time. It names nobody. It must be kept when a
backup is put back; whoever it lists is erased again before the server answers.
"""

import os
from pathlib import Path

import msgspec


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One erasure. `at` is when it was asked for, in UTC milliseconds."""

    shop: str
    subject: str
    at: int
    erasure: str


class Ledger:
    """Appends lines that are on disk when `add` returns; a torn last line is left out."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, line: Line) -> None:
        """Append a line."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # A newline first ends a line that a crash has torn.
            os.write(handle, b"\n" + msgspec.json.encode(line) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def lines(self) -> list[Line]:
        """Every line."""
        if not self._file.exists():
            return []
        found: list[Line] = []
        for text in self._file.read_bytes().split(b"\n"):
            try:
                found.append(msgspec.json.decode(text, type=Line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        return found
