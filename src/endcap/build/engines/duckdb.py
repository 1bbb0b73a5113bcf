"""DuckDB, the embedded engine: loads archive and catalogue, runs kernels, gives numpy columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from endcap.build.kernels import kernel
from endcap.core.terms import normalised

from . import tables_sql
from .engine import Columns


class DuckEngine:
    """One build's database, in memory with spill to `work`; a context manager."""

    def __init__(self, work: Path, memory: str, threads: int) -> None:
        self._connection = duckdb.connect(
            config={
                "memory_limit": memory,
                "threads": threads,
                "temp_directory": str(work / "spill"),
                "preserve_insertion_order": False,
            }
        )

    def __enter__(self) -> "DuckEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def load(self, archive: Sequence[str], exported: Path, more: Sequence[str] = ()) -> None:
        """Make the tables `products`, `features`, `lines`, `searches` and `zones`, by number.

        `more` are statements that read the whole log as `people`.

        Lines of products that are not in the catalogue are left out. What a pseudonym did before
        it was merged into another is the other's. The table `visitors` (number, name) stays. From
        here on the engine opens no file.
        """
        run = self._connection.execute
        for table in ("products", "features"):
            run(f"CREATE TABLE {table} AS SELECT * FROM read_parquet(?)", [_path(exported, table)])
        if archive:
            files = _listed(archive)
            run(
                f"CREATE VIEW archived AS SELECT * FROM read_parquet({files}, union_by_name = true)"
            )
        else:
            run(tables_sql.NO_ARCHIVE)
        run(tables_sql.MERGES)
        # Most shops' logs hold no merge, and then nothing needs to be looked up.
        merged = self.number("SELECT COUNT(*) FROM merges")
        run(tables_sql.PEOPLE if merged else "CREATE VIEW people AS SELECT * FROM archived")
        for field in ("visitor", "session"):
            run(tables_sql.NUMBERED.format(field=field))
        run(tables_sql.ZONES)
        run(tables_sql.LINES)
        run(tables_sql.INPUTS)
        run(tables_sql.OFFERED)
        self._load_searches()
        for statement in more:
            run(statement)
        for table in ("sessions", "merges"):
            run(f"DROP TABLE {table}")
        for view in ("people", "archived"):
            run(f"DROP VIEW {view}")
        run("SET enable_external_access = false")

    def _load_searches(self) -> None:
        """Make `searches` and `term_names`; terms are numbered in their byte order."""
        found = self._connection.execute(tables_sql.QUERIES).fetchall()
        terms = {query: term for (query,) in found if (term := normalised(query))}
        names = sorted(set(terms.values()), key=str.encode)
        number = {name: place for place, name in enumerate(names)}
        pairs = {"query": list(terms), "term": [number[term] for term in terms.values()]}
        self._table_of("terms", {"query": "VARCHAR", "term": "INTEGER"}, pairs)
        self._table_of("term_names", {"name": "VARCHAR"}, {"name": names})
        self._connection.execute(tables_sql.SEARCHES)
        self._connection.execute("DROP TABLE terms")

    def _table_of(self, name: str, kinds: dict[str, str], columns: dict[str, list[Any]]) -> None:
        """A table of Python lists, one per column, with the DuckDB types given."""
        unnested = ", ".join(f"unnest(CAST(? AS {kind}[])) AS {c}" for c, kind in kinds.items())
        self._connection.execute(
            f"CREATE TABLE {name} AS SELECT {unnested}", [columns[c] for c in kinds]
        )

    def table(self, name: str, kernel_name: str, values: Mapping[str, int | float]) -> None:
        """Run a kernel into a table that later kernels read."""
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {kernel(kernel_name, values)}")

    def store(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make a table of numpy columns."""
        self._connection.register("stored", dict(columns))
        self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM stored")
        self._connection.unregister("stored")

    def drop(self, name: str) -> None:
        """Let go of a table."""
        self._connection.execute(f"DROP TABLE {name}")

    def run(self, kernel_name: str, values: Mapping[str, int | float]) -> Columns:
        """Run a kernel; its rows as numpy columns."""
        return self.query(kernel(kernel_name, values))

    def query(self, sql: str) -> Columns:
        """The rows of a query as numpy columns."""
        columns = self._connection.execute(sql).fetchnumpy()
        return {name: np.ma.getdata(column) for name, column in columns.items()}

    def inputs(self, names: Sequence[str]) -> str:
        """A digest of the lines of these event types (or of `features` and `products`)."""
        rows = self._connection.execute(
            "SELECT name, size, digest FROM inputs WHERE list_contains(?, name) ORDER BY name",
            [list(names)],
        ).fetchall()
        return repr(rows)

    def number(self, sql: str) -> int:
        """The one number a query gives."""
        # All rows are fetched: a result left open would keep the connection from other work.
        ((value,),) = self._connection.execute(sql).fetchall()
        return 0 if value is None else int(value)


def _path(folder: Path, table: str) -> str:
    return str(folder / f"{table}.parquet")


def _listed(files: Sequence[str]) -> str:
    quoted = (f"'{file}'" for file in (name.replace("'", "''") for name in files))
    return f"[{', '.join(quoted)}]"
