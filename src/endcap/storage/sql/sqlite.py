"""The embedded store: SQLite in WAL mode, one process, one writer connection, synced commits."""

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from endcap.core.errors import ConfigurationError, StoreUnavailable
from endcap.core.failures import said

from .appending import append_embedded
from .catalogue import SqlCatalogue
from .control import SqlControl
from .copies import SqlFilling, SqlReading, sql_filling, sql_reading
from .event_log import SqlEventLog
from .leases import SqlLeases
from .lock import StoreLock
from .schema import ensure_schema

T = TypeVar("T")
READERS = 4
# Writers wait for readers only while a checkpoint truncates the log; this is far above that.
BUSY_SECONDS = 10
SCRUB_TRIES = 3


class SqliteStore:
    """Opens the store in `folder` and gives its ports: `catalogue`, `events`, `control`, `leases`.

    One connection writes and checkpoints, under a lock; the others only read. SQLite before 3.51.3
    can corrupt a database that two connections write at once, and `mmap_size` is never set.
    """

    shared = False

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = StoreLock(folder / "endcap.lock")
        self.lock.take()
        file = folder / "endcap.db"
        self._guard = threading.Lock()
        self._driver_error: type[Exception] = _driver().Error
        self._writer = _engine(file, 1, _prepare_writer)
        self._readers = _engine(file, READERS, _prepare_reader)
        try:
            with self.write() as connection:
                _check_durability(connection)
            ensure_schema(self._writer, itself=True)
        except Exception:
            self.close()
            raise
        self.catalogue = SqlCatalogue(self)
        self.events = SqlEventLog(self, append_embedded, by_place=True)
        self.control = SqlControl(self)
        self.leases = SqlLeases(self)

    def transact(self, work: Callable[[Connection], T]) -> T:
        """See Sessions."""
        with self.write() as connection:
            return work(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction on the writer connection, synced to disk when the block ends.

        Raises StoreUnavailable when the store refuses; the transaction is then rolled back.
        """
        with self._guard:
            try:
                with self._writer.begin() as connection:
                    yield connection
            except (DBAPIError, self._driver_error) as error:
                cause = getattr(error, "orig", error)
                raise StoreUnavailable(f"the store refused the write: {said(cause)}") from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for reading. Raises StoreUnavailable."""
        try:
            with self._readers.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"the store refused the read: {said(error.orig)}") from error

    def scrub(self) -> None:
        """See Sessions: deleted rows are zeros already; the write-ahead log still has them."""
        for _ in range(SCRUB_TRIES):
            with self._guard, self._writer.connect() as connection:
                found = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if not found[0]:
                return
        raise StoreUnavailable("readers keep the log of the store from being truncated")

    def rewrite(self) -> None:
        """See Sessions.

        `secure_delete` overwrites rows where they are deleted, but not the copies that stay in the
        gap of a page when SQLite moves its rows to another; a new file has no gaps with a past.
        """
        with self._guard, self._writer.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
        self.scrub()

    @property
    def engine(self) -> Engine:
        """The engine of the writing connection, for migrations and copies."""
        return self._writer

    def reading(self) -> AbstractContextManager[SqlReading]:
        """See Copyable."""
        return sql_reading(self._readers)

    def filling(self) -> AbstractContextManager[SqlFilling]:
        """See Copyable."""
        return sql_filling(self._writer)

    def describe(self, about: dict[str, object]) -> None:
        """Tell others who holds the store."""
        self.lock.describe(about)

    def close(self) -> None:
        """Close every connection, the writer last, and free the lock."""
        self._readers.dispose()
        self._writer.dispose()
        self.lock.free()


@contextmanager
def sqlite_reading(folder: Path) -> Iterator[SqlReading]:
    """A view of a store that another process may have open. Raises ConfigurationError.

    It only reads: the process that writes stays the only one that writes and checkpoints.
    """
    file = folder / "endcap.db"
    if not file.is_file():
        raise ConfigurationError(f"there is no store in {folder}")
    engine = _engine(file, 1, _prepare_reader, "?mode=ro&uri=true")
    try:
        with sql_reading(engine) as reading:
            yield reading
    except DBAPIError as error:
        raise StoreUnavailable(f"the store refused the read: {said(error.orig)}") from error
    finally:
        engine.dispose()


def sqlite_version() -> str:
    """The version of SQLite in use."""
    return str(_driver().sqlite_version)


def _driver() -> Any:
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return importlib.import_module("sqlite3")


def _engine(file: Path, size: int, prepare: Any, options: str = "") -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{'file:' if options else ''}{file}{options}",
        module=_driver(),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", prepare)
    return engine


def _prepare_writer(connection: Any, _: object) -> None:
    # What is deleted is overwritten with zeros, so that erasing a visitor leaves nothing behind.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "secure_delete=ON",
        # 64 MB, not 4: a page that many commits touch is copied into the database once, and fewer
        # commits wait for a copy. What is acknowledged is synced in the log either way.
        "wal_autocheckpoint=16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reader(connection: Any, _: object) -> None:
    for pragma in ("query_only=ON", "wal_autocheckpoint=0", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}")


def _check_durability(connection: Connection) -> None:
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if journal != "wal" or synchronous not in (2, 3):
        raise ConfigurationError(
            f"SQLite runs with journal_mode={journal}, synchronous={synchronous}; acknowledged "
            "events could be lost. Put the data folder on a local file system that supports WAL."
        )
