"""What a store is made of, as rows: for backups, and for moving a shop to another engine.

A row is a mapping of column names; every engine gives and takes the same ones. `heads` say how far
each stream had come, so that a place is not given twice after rows were erased.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from endcap.core.errors import ConfigurationError, EndcapError

Row = dict[str, Any]
PAGE = 2_000


class Head(NamedTuple):
    """How far a stream has come: `log` and `dead_letters` of all shops, and others of one."""

    shop: str
    stream: str
    value: int


class Reading(Protocol):
    """A consistent view of a whole store."""

    def tables(self) -> list[str]:
        """Names of the tables."""

    def rows(self, table: str) -> Iterator[list[Row]]:
        """A table's rows in pages."""

    def heads(self) -> list[Head]:
        """How far each stream has come."""


class Filling(Protocol):
    """An empty store being filled; nothing of it counts until `finish`."""

    def fill(self, table: str, rows: list[Row]) -> None:
        """Take rows in."""

    def finish(self, heads: Iterable[Head]) -> dict[str, int]:
        """Set the heads, make it durable, and return how many rows each table has now."""


class Copyable(Protocol):
    """A store that can be copied."""

    def reading(self) -> AbstractContextManager[Reading]:
        """A view that stays as it is while others write."""

    def filling(self) -> AbstractContextManager[Filling]:
        """Raises ConfigurationError when the store holds something already."""


def copy(source: Reading, target: Filling) -> dict[str, int]:
    """Copy everything and compare the counts. Raises EndcapError when they differ."""
    read: dict[str, int] = {}
    for table in source.tables():
        read[table] = 0
        for rows in source.rows(table):
            target.fill(table, rows)
            read[table] += len(rows)
    written = target.finish(source.heads())
    compare(read, written)
    return read


def compare(read: dict[str, int], written: dict[str, int]) -> None:
    """Raise EndcapError naming every table whose counts differ."""
    wrong = [
        f"{table}: {count:,} read, {written.get(table, 0):,} written"
        for table, count in read.items()
        if written.get(table, 0) != count
    ]
    if wrong:
        raise EndcapError(f"the copy is not complete: {'; '.join(wrong)}")


def refuse_filled(counts: dict[str, int]) -> None:
    """Raise ConfigurationError unless every table is empty."""
    filled = [f"{count:,} {table}" for table, count in counts.items() if count]
    if filled:
        raise ConfigurationError(
            f"the store to fill must be empty, but it holds {', '.join(filled)}"
        )
