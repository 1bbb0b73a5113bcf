"""A store on a database server: PostgreSQL, MySQL or MariaDB, shared by several processes."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from endcap.core.errors import ConfigurationError, StoreUnavailable
from endcap.core.failures import said

from .appending import append_on_server
from .catalogue import SqlCatalogue
from .control import SqlControl
from .copies import SqlFilling, SqlReading, sql_filling, sql_reading
from .dialects import Dialect, dialect_of
from .event_log import SqlEventLog
from .leases import SqlLeases
from .schema import ensure_schema

T = TypeVar("T")
READERS = 8
WRITERS = 4
ATTEMPTS = 6
FIRST_PAUSE = 0.005
POOL_SECONDS = 3


class ServerStore:
    """Opens the store at `url` and gives its ports: `catalogue`, `events`, `control`, `leases`.

    `migrating` brings an older schema up to this version first. Raises ConfigurationError when the
    server would lose what it has acknowledged, is not there, or has a schema that does not fit.
    """

    shared = True

    def __init__(self, url: str, migrating: bool = False) -> None:
        self.dialect = dialect_of(url)
        self._writer = _engine(self.dialect, WRITERS, "READ COMMITTED")
        self._reader = _engine(self.dialect, READERS, "AUTOCOMMIT")
        try:
            with self._writer.connect() as connection:
                self.dialect.check(connection)
            ensure_schema(self._writer, itself=migrating)
        except (OperationalError, PoolTimeout) as error:
            self.close()
            cause = getattr(error, "orig", error)
            raise ConfigurationError(f"store_url: {self.dialect.shown}: {cause}") from error
        except Exception:
            self.close()
            raise
        self.catalogue = SqlCatalogue(self)
        self.events = SqlEventLog(self, append_on_server)
        self.control = SqlControl(self)
        self.leases = SqlLeases(self)

    @property
    def engine(self) -> Engine:
        """The engine of the writing connections, for migrations and copies."""
        return self._writer

    def transact(self, work: Callable[[Connection], T]) -> T:
        """See Sessions."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._writer.begin() as connection:
                    return work(connection)
            except DataError:
                # The value cannot be kept at all; asking again would not help.
                raise
            except DBAPIError as error:
                if attempt == ATTEMPTS or not self.dialect.worth_repeating(error):
                    cause = said(error.orig)
                    raise StoreUnavailable(f"the store refused the write: {cause}") from error
            except PoolTimeout as error:
                raise StoreUnavailable("every connection to the store is busy") from error
            time.sleep(FIRST_PAUSE * 2**attempt)
        raise AssertionError

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See Sessions. Raises StoreUnavailable."""
        try:
            with self._reader.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"the store refused the read: {said(error.orig)}") from error
        except PoolTimeout as error:
            raise StoreUnavailable("every connection to the store is busy") from error

    def reading(self) -> AbstractContextManager[SqlReading]:
        """See Copyable."""
        return sql_reading(self._writer)

    def filling(self) -> AbstractContextManager[SqlFilling]:
        """See Copyable."""
        return sql_filling(self._writer)

    def scrub(self) -> None:
        """See Sessions. PostgreSQL is told to free deleted rows now; MySQL purges by itself."""
        if self._reader.dialect.name == "postgresql":
            with self.read() as connection:
                for table in ("events", "dead_letters", "control"):
                    connection.exec_driver_sql(f"VACUUM {table}")

    def rewrite(self) -> None:
        """See Sessions. What locks whole tables is left to the operator; docs/privacy.md has it."""
        self.scrub()

    def describe(self, about: dict[str, object]) -> None:
        """Nothing to tell: a server has no holder."""

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()


def _engine(dialect: Dialect, size: int, isolation: str) -> Engine:
    return create_engine(
        dialect.url,
        isolation_level=isolation,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1_800,
        connect_args=dialect.connect_args,
    )
