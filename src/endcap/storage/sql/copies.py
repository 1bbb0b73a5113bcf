"""Copies of SQL stores."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, insert, select, text

from endcap.storage.copies import PAGE, Head, Row, refuse_filled

from .heads import ALL_SHOPS, LOG
from .tables import events, heads, metadata

Statements = dict[str, tuple[str, ...]]
NOT_COPIED = frozenset({"schema_version", "heads", "leases"})
_BEGIN: Statements = {
    "sqlite": ("BEGIN",),
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    ),
    "mysql": ("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",),
}
_FILL: Statements = {
    "postgresql": (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    )
}


class SqlReading:
    """One transaction that sees the store as it was at its beginning."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        """See Reading."""
        return [t.name for t in metadata.sorted_tables if t.name not in NOT_COPIED]

    def rows(self, table: str) -> Iterator[list[Row]]:
        """See Reading."""
        columns = metadata.tables[table]
        query = select(columns).order_by(*columns.primary_key.columns)
        # Rows come as they are read: a log may be larger than the memory.
        streamed = self._connection.execution_options(stream_results=True, max_row_buffer=PAGE)
        for page in streamed.execute(query).partitions(PAGE):
            yield [dict(row._mapping) for row in page]

    def heads(self) -> list[Head]:
        """See Reading."""
        rows = self._connection.execute(select(heads.c.shop, heads.c.stream, heads.c.value))
        found = {(row.shop, row.stream): int(row.value) for row in rows}
        last = self._connection.execute(select(func.max(events.c.seq))).scalar() or 0
        if self._connection.dialect.name == "sqlite":
            query = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
            last = max(last, self._connection.execute(text(query)).scalar() or 0)
        found[ALL_SHOPS, LOG] = max(last, found.get((ALL_SHOPS, LOG), 0))
        return [Head(shop, stream, value) for (shop, stream), value in found.items()]


class SqlFilling:
    """One transaction that fills an empty store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fill(self, table: str, rows: list[Row]) -> None:
        """See Filling."""
        known = metadata.tables[table]
        names = set(known.columns.keys())
        values = [{name: row[name] for name in row.keys() & names} for row in rows]
        self._connection.execute(insert(known), values)

    def finish(self, marks: Iterable[Head]) -> dict[str, int]:
        """See Filling."""
        rows = [head._asdict() for head in marks]
        if rows:
            self._connection.execute(insert(heads), rows)
        if self._connection.dialect.name == "sqlite":
            last = max((head["value"] for head in rows if head["stream"] == LOG), default=0)
            self._connection.execute(text("DELETE FROM sqlite_sequence WHERE name = 'events'"))
            sequence = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', :last)")
            self._connection.execute(sequence, {"last": last})
        return counts(self._connection)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    copied = [table for table in metadata.sorted_tables if table.name not in NOT_COPIED]
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in copied
    }


@contextmanager
def sql_reading(engine: Engine) -> Iterator[SqlReading]:
    """A consistent view of the whole store."""
    with engine.connect() as connection:
        for statement in _of(_BEGIN, connection):
            connection.exec_driver_sql(statement)
        if _kind(connection) == "mysql":
            connection.commit()
        yield SqlReading(connection)
        connection.rollback()
        connection.invalidate()


@contextmanager
def sql_filling(engine: Engine) -> Iterator[SqlFilling]:
    """The store as one transaction to fill it. Raises ConfigurationError when it is not empty."""
    with engine.begin() as connection:
        for statement in _of(_FILL, connection):
            connection.exec_driver_sql(statement)
        refuse_filled(counts(connection))
        connection.execute(heads.delete())
        yield SqlFilling(connection)


def _of(statements: Statements, connection: Connection) -> tuple[str, ...]:
    return statements.get(_kind(connection), ())


def _kind(connection: Connection) -> str:
    return connection.dialect.name.replace("mariadb", "mysql")
