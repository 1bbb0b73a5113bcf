"""Read-only SQL over the archive and the rollups, for analysts.

The database is in memory and opens nothing but the shop's own Parquet files; one SELECT at a time,
because a COPY could write into the folders that it may read.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from endcap.build.archive import COLUMNS, parts
from endcap.core.errors import FieldProblem, InvalidInput

from .rollups import EPOCH, Rollups
from .tables import TABLES, listed, quoted

READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


class Analyst:
    """A database with one view per table; a context manager by `open`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    @classmethod
    @contextmanager
    def open(
        cls, rollups: Rollups, memory: str = "1GB", threads: int = 2, seconds: float = 60.0
    ) -> Iterator["Analyst"]:
        """Open what was archived and folded last; a query is stopped after `seconds`."""
        with duckdb.connect(config={"preserve_insertion_order": "false"}) as connection:
            _views(connection, rollups)
            allowed = (rollups.archive, rollups.folder)
            folders = ", ".join(f"'{quoted(str(folder.resolve()))}/'" for folder in allowed)
            # This order is needed: after the second nothing can be allowed, after the last nothing
            # can be set.
            connection.execute(f"SET allowed_directories = [{folders}]")
            connection.execute("SET enable_external_access = false")
            connection.execute(f"SET memory_limit = '{quoted(memory)}'")
            connection.execute(f"SET threads = {threads}")
            connection.execute("SET lock_configuration = true")
            yield cls(connection, seconds)

    def query(self, sql: str, limit: int = 10_000) -> tuple[list[str], list[tuple[object, ...]]]:
        """Column names and rows, at most `limit`. Raises InvalidInput for all but one SELECT."""
        self._check(sql)
        timer = threading.Timer(self._seconds, self._connection.interrupt)
        timer.start()
        try:
            cursor = self._connection.execute(sql)
            return [c[0] for c in cursor.description or []], cursor.fetchmany(limit)
        except duckdb.InterruptException as error:
            raise _refusal(f"took longer than {self._seconds:.0f} s and was stopped") from error
        except duckdb.Error as error:
            raise _refusal(str(error)) from error
        finally:
            timer.cancel()

    def columns(self, table: str) -> dict[str, str]:
        """The columns of one of our tables, with their types."""
        rows = self._connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_name = ? ORDER BY ordinal_position",
            [table],
        ).fetchall()
        return dict(rows)

    def _check(self, sql: str) -> None:
        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise _refusal(str(error)) from error
        if len(statements) != 1 or statements[0].type not in READS:
            raise _refusal("must be one SELECT")


def _views(connection: duckdb.DuckDBPyConnection, rollups: Rollups) -> None:
    # An empty run gives every table its columns before there is a file.
    rollups.folder.mkdir(parents=True, exist_ok=True)
    rollups.compute_from(connection, EPOCH, EPOCH)
    for table in TABLES:
        files = list(rollups.files(table))
        connection.execute(f"CREATE TABLE no_{table} AS SELECT * FROM {table} WHERE false")
        connection.execute(f"DROP TABLE {table}")
        source = f"SELECT * FROM no_{table}"
        if files:
            source += f" UNION ALL BY NAME SELECT * FROM read_parquet({listed(files)})"
        connection.execute(f"CREATE VIEW {table} AS {source}")
    for name in ("excluded", "clean", "slates", "met"):
        connection.execute(f"DROP TABLE {name}")
    for name in ("lines", "earlier_touches", "earlier_sales", "earlier_credits"):
        connection.execute(f"DROP VIEW {name}")
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    source = f"SELECT {columns} WHERE false"
    if files := parts(rollups.archive):
        read = f"read_parquet({listed(files)}, union_by_name = true)"
        source += f" UNION ALL BY NAME SELECT * FROM {read}"
    connection.execute(f"CREATE VIEW events AS {source}")


def _refusal(message: str) -> InvalidInput:
    return InvalidInput("the query cannot run", [FieldProblem("/sql", "invalid", message)])
