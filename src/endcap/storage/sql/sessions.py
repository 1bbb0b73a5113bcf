"""What the SQL ports need of a store: transactions for writing and views for reading."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection


class Sessions(Protocol):
    """Implemented once per SQL engine."""

    def write(self) -> AbstractContextManager[Connection]:
        """A durable transaction."""

    def read(self) -> AbstractContextManager[Connection]:
        """A consistent view."""
