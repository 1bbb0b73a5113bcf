"""What the SQL ports need of a store: transactions for writing and views for reading."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Sessions(Protocol):
    """Implemented once per kind of SQL engine: embedded, and server."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one durable transaction; it may be run again after a deadlock.

        Raises StoreUnavailable when the store refuses; nothing of it is stored then.
        """

    def read(self) -> AbstractContextManager[Connection]:
        """A consistent view."""

    def scrub(self) -> None:
        """See that what was deleted is no longer in the engine's log, as far as it lets us."""

    def rewrite(self) -> None:
        """The same, and that copies of it are in no gap of the files either."""
