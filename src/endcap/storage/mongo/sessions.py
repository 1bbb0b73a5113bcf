"""What the MongoDB ports need of a store."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from pymongo.client_session import ClientSession
from pymongo.database import Database

T = TypeVar("T")
Document = dict[str, Any]


class MongoSessions(Protocol):
    """Implemented by MongoStore."""

    database: Database[Document]

    def errors(self) -> AbstractContextManager[None]:
        """Turns what the driver raises into StoreUnavailable."""

    def transact(self, work: Callable[[ClientSession], T]) -> T:
        """Run `work` in one durable transaction, again when it met another."""


def joined(*parts: object) -> str:
    """One `_id` of several ids, which never hold NUL."""
    return "\0".join(map(str, parts))
