"""Spark, the distributed engine: the same kernels on any master.

Tables that kernels make and rows that come back are Parquet files in the work folder, which the
executors must see, as they must the archive: so nothing is lost with an executor or counted twice.
"""

import itertools
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from endcap.build.kernels import kernel
from endcap.core.errors import ConfigurationError
from endcap.core.terms import normalised

from . import tables_sql
from .engine import Columns
from .spark_sql import PEOPLE, made_by, spark_sql


class SparkEngine:
    """One build's session on `master`. See the protocol `Engine`.

    Raises ConfigurationError without pyspark or Java.
    """

    def __init__(self, work: Path, memory: str, master: str) -> None:
        self._work = (work / "spark").absolute()
        self._work.mkdir(parents=True, exist_ok=True)
        self._numbers = itertools.count()
        self._folders: dict[str, Path] = {}
        self._spark = _session(self._work, memory, master)

    def __enter__(self) -> "SparkEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self._spark.stop()
        shutil.rmtree(self._work, ignore_errors=True)

    def load(self, archive: Sequence[str], exported: Path, more: Sequence[str] = ()) -> None:
        """Make the tables that the kernels read; see DuckEngine."""
        for table in ("products", "features"):
            frame = self._spark.read.parquet(str(exported / f"{table}.parquet"))
            self._keep(table, frame, stored=False)
        if archive:
            read = self._spark.read.option("mergeSchema", "true")
            self._keep("archived", read.parquet(*archive), stored=False)
        else:
            self._make(tables_sql.NO_ARCHIVE, stored=False)
        self._make(tables_sql.MERGES)
        merged = self.number("SELECT COUNT(*) FROM merges")
        self._make(PEOPLE if merged else "CREATE VIEW people AS SELECT * FROM archived")
        for field in ("visitor", "session"):
            self._make(tables_sql.NUMBERED.format(field=field))
        for statement in (
            tables_sql.ZONES,
            tables_sql.LINES,
            tables_sql.INPUTS,
            tables_sql.OFFERED,
        ):
            self._make(statement)
        self._load_searches()
        for statement in more:
            self._make(statement)

    def _load_searches(self) -> None:
        found = self._spark.sql(spark_sql(tables_sql.QUERIES)).collect()
        terms = {row[0]: term for row in found if (term := normalised(row[0]))}
        names = sorted(set(terms.values()), key=str.encode)
        number = {name: place for place, name in enumerate(names)}
        numbers = np.array([number[term] for term in terms.values()], np.int32)
        self.store("terms", {"query": np.array(list(terms), object), "term": numbers})
        self.store("term_names", {"name": np.array(names, object)})
        self._make(tables_sql.SEARCHES)

    def table(self, name: str, kernel_name: str, values: Mapping[str, int | float]) -> None:
        """See the protocol."""
        self._keep(name, self._sql(kernel(kernel_name, values)))

    def store(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """See the protocol."""
        file = self._work / f"stored-{next(self._numbers)}.parquet"
        kinds = {column: _kind(values) for column, values in columns.items()}
        # An empty column of texts has no type of its own.
        texts = ", ".join(f"CAST({column} AS {kind}) AS {column}" for column, kind in kinds.items())
        with duckdb.connect() as connection:
            connection.register("stored", dict(columns))
            connection.execute(f"COPY (SELECT {texts} FROM stored) TO '{file}' (FORMAT parquet)")
        self._keep(name, self._spark.read.parquet(str(file)), stored=False)

    def drop(self, name: str) -> None:
        """See the protocol."""
        self._spark.catalog.dropTempView(name)
        folder = self._folders.pop(name, None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, kernel_name: str, values: Mapping[str, int | float]) -> Columns:
        """See the protocol."""
        return self.query(kernel(kernel_name, values))

    def query(self, sql: str) -> Columns:
        """See the protocol. A statement that makes a table gives no rows."""
        if made_by(sql) is not None:
            self._make(sql)
            return {}
        folder = self._work / f"rows-{next(self._numbers)}"
        self._sql(sql).write.parquet(str(folder))
        try:
            with duckdb.connect(config={"threads": 1}) as connection:
                found = connection.execute(
                    f"SELECT * FROM read_parquet('{folder}/*.parquet')"
                ).fetchnumpy()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return {name: np.ma.getdata(column) for name, column in found.items()}

    def inputs(self, names: Sequence[str]) -> str:
        """See the protocol. Other hashes than DuckDB's, so neither takes over the other's parts."""
        rows = self._spark.sql("SELECT name, size, digest FROM inputs ORDER BY name").collect()
        return repr([tuple(row) for row in rows if row[0] in names])

    def number(self, sql: str) -> int:
        """See the protocol."""
        ((value,),) = self._sql(sql).collect()
        return 0 if value is None else int(value)

    def _sql(self, text: str) -> Any:
        return self._spark.sql(spark_sql(text))

    def _make(self, statement: str, stored: bool = True) -> None:
        made = made_by(statement)
        assert made is not None
        self._keep(made[0], self._sql(made[1]), stored)

    def _keep(self, name: str, frame: Any, stored: bool = True) -> None:
        if stored:
            folder = self._work / f"table-{next(self._numbers)}"
            frame.write.parquet(str(folder))
            frame = self._spark.read.schema(frame.schema).parquet(str(folder))
            self._folders[name] = folder
        frame.createOrReplaceTempView(name)


def _kind(values: npt.NDArray[Any]) -> str:
    kinds = {"i4": "INTEGER", "i8": "BIGINT", "f4": "FLOAT", "f8": "DOUBLE"}
    return kinds.get(values.dtype.str[1:], "VARCHAR")


def _session(work: Path, memory: str, master: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "build_engine: Spark needs its package: pip install 'endcap[spark]'"
        ) from error
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise ConfigurationError(
            "build_engine: Spark needs Java 17 or later (on Debian: default-jre-headless)"
        )
    options = {
        "spark.app.name": "endcap build",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": memory.replace(" ", "").lower().rstrip("b").rstrip("i"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(work / "warehouse"),
    }
    if master.startswith("local"):
        options |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(work / "local"),
            # Spark's own 200 are for a cluster; here each would be a task for a few rows.
            "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 2)),
        }
    builder = SparkSession.builder.master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
