"""Opening the store of record that an address names."""

from pathlib import Path
from typing import Protocol

from endcap.core.errors import ConfigurationError
from endcap.core.ports import Catalogue, Control, EventLog

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


def open_store(url: str, folder: Path) -> Store:
    """The store at `url`; empty means SQLite in `folder`. Raises ConfigurationError."""
    scheme = scheme_of(url)
    try:
        if scheme == "sqlite":
            from .sql.sqlite import SqliteStore

            return SqliteStore(Path(url.removeprefix("sqlite:///")) if url else folder)
        if scheme in MONGO:
            from .mongo.store import MongoStore

            return MongoStore(url)
        from .sql.server import ServerStore

        return ServerStore(url)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(scheme.partition("+")[0], "mysql")
        raise ConfigurationError(
            f"store_url: {scheme} needs a driver: pip install 'endcap[{extra}]'"
        ) from error
