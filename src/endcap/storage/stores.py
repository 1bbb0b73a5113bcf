"""Opening the store of record that an address names."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from endcap.core.errors import ConfigurationError
from endcap.core.ports import Catalogue, Control, EventLog, Leases

from .copies import Filling, Reading

SQL_SERVERS = ("postgresql", "postgres", "mysql", "mariadb")
MONGO = ("mongodb", "mongodb+srv")
SCHEMES = ("sqlite", *SQL_SERVERS, *MONGO)
EXTRAS = {"postgresql": "postgresql", "postgres": "postgresql", "mongodb": "mongodb"}


class Store(Protocol):
    """A store of record; `shared` says whether several processes may work on it."""

    shared: bool

    @property
    def catalogue(self) -> Catalogue:
        """Products."""

    @property
    def events(self) -> EventLog:
        """The log."""

    @property
    def control(self) -> Control:
        """Versioned control data."""

    @property
    def leases(self) -> Leases:
        """Who does what one process should do."""

    def reading(self) -> AbstractContextManager[Reading]:
        """A consistent view of all of it, for copies."""

    def filling(self) -> AbstractContextManager[Filling]:
        """All of it to fill, when it is empty. Raises ConfigurationError."""

    def describe(self, about: dict[str, object]) -> None:
        """Tell others who holds the store, where that is known."""

    def close(self) -> None:
        """Close every connection."""


def scheme_of(url: str) -> str:
    """The kind of store: `sqlite` for an empty address. Raises ConfigurationError."""
    scheme = url.partition(":")[0].partition("+")[0] if url else "sqlite"
    if url.startswith("mongodb+srv:"):
        scheme = "mongodb+srv"
    if scheme not in SCHEMES:
        raise ConfigurationError(
            f"store_url: no store for `{scheme}`; there is {', '.join(SCHEMES)}"
        )
    return scheme


def open_store(url: str, folder: Path, migrating: bool = False) -> Store:
    """The store at `url`; empty means SQLite in `folder`. Raises ConfigurationError.

    `migrating` brings an older schema on a server up to this version; SQLite's is always.
    """
    scheme = scheme_of(url)
    try:
        if scheme == "sqlite":
            from .sql.sqlite import SqliteStore

            return SqliteStore(_folder(url, folder))
        if scheme in MONGO:
            from .mongo.store import MongoStore

            return MongoStore(url)
        from .sql.server import ServerStore

        return ServerStore(url, migrating)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(scheme.partition("+")[0], "mysql")
        raise ConfigurationError(
            f"store_url: {scheme} needs a driver: pip install 'endcap[{extra}]'"
        ) from error


@contextmanager
def open_reading(url: str, folder: Path) -> Iterator[Reading]:
    """A view of a store that is in use, for a backup. Raises ConfigurationError."""
    if scheme_of(url) == "sqlite":
        from .sql.sqlite import sqlite_reading

        with sqlite_reading(_folder(url, folder)) as reading:
            yield reading
        return
    store = open_store(url, folder)
    try:
        with store.reading() as reading:
            yield reading
    finally:
        store.close()


def _folder(url: str, folder: Path) -> Path:
    return Path(url.removeprefix("sqlite:///")) if url else folder
