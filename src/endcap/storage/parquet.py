"""Reading rows of Parquet files, for imports."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from endcap.core.errors import MalformedBody
from endcap.ingest.formats.rows import Fields

CHUNK = 2_000


def read_parquet(file: Path) -> Iterator[Fields]:
    """The rows of a Parquet file; a null is a field left out. Raises MalformedBody."""
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(file)])
            names = [column[0] for column in cursor.description or []]
            line = 0
            while rows := cursor.fetchmany(CHUNK):
                for row in rows:
                    line += 1
                    pairs = zip(names, row, strict=True)
                    yield Fields(line, {n: v for n, v in pairs if v is not None})
    except duckdb.Error as error:
        raise MalformedBody(f"{file.name} cannot be read as Parquet: {error}") from error
