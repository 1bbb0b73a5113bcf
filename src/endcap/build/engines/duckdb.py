"""DuckDB, the embedded engine: loads archive and catalogue, runs kernels, gives numpy columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from endcap.build.kernels import kernel

Columns = dict[str, npt.NDArray[Any]]


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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def load(self, archive: Sequence[str], exported: Path) -> None:
        """Make the tables `products`, `features` and `lines`, all by number.

        Lines of products that are not in the catalogue are left out. From here on the engine
        opens no file.
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
            run(_NO_LINES)
        for field in ("visitor", "session"):
            run(
                f"CREATE TABLE {field}s AS SELECT {field} AS name, row_number() OVER () AS number "
                f"FROM (SELECT DISTINCT {field} FROM archived "
                f"WHERE {field} IS NOT NULL AND {field} <> '' AND product IS NOT NULL)"
            )
        run(_LINES)
        for table in ("visitors", "sessions"):
            run(f"DROP TABLE {table}")
        run("DROP VIEW IF EXISTS archived")
        run("SET enable_external_access = false")

    def table(self, name: str, kernel_name: str, values: Mapping[str, int | float]) -> None:
        """Run a kernel into a table that later kernels read."""
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {kernel(kernel_name, values)}")

    def run(self, kernel_name: str, values: Mapping[str, int | float]) -> Columns:
        """Run a kernel; its rows as numpy columns."""
        return self.query(kernel(kernel_name, values))

    def query(self, sql: str) -> Columns:
        """The rows of a query as numpy columns."""
        columns = self._connection.execute(sql).fetchnumpy()
        return {name: np.ma.getdata(column) for name, column in columns.items()}

    def number(self, sql: str) -> int:
        """The one number a query gives."""
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row and row[0] is not None else 0


_LINES = """
CREATE TABLE lines AS
SELECT a.seq, a.type, CAST(v.number AS BIGINT) AS visitor, CAST(s.number AS BIGINT) AS session,
       p.product, a.quantity, a.occurred_at
FROM archived AS a
JOIN products AS p ON p.id = a.product
LEFT JOIN visitors AS v ON v.name = a.visitor
LEFT JOIN sessions AS s ON s.name = a.session
WHERE a.type IN ('purchase', 'refund', 'cart_add', 'view', 'click')
"""
_NO_LINES = """
CREATE VIEW archived AS
SELECT CAST(0 AS BIGINT) AS seq, '' AS type, '' AS visitor, '' AS session, '' AS product,
       CAST(0 AS BIGINT) AS quantity, CAST(0 AS BIGINT) AS occurred_at
WHERE false
"""


def _path(folder: Path, table: str) -> str:
    return str(folder / f"{table}.parquet")


def _listed(files: Sequence[str]) -> str:
    quoted = (f"'{file}'" for file in (name.replace("'", "''") for name in files))
    return f"[{', '.join(quoted)}]"
