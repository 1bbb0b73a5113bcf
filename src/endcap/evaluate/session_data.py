"""Reading session data sets: Parquet or CSV, with positions or with times."""

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from endcap.core.errors import FieldProblem, InvalidInput

Numbers = npt.NDArray[np.int64]
# Names that columns go by in public session data; the first is ours.
NAMES = {
    "session": ("session", "sessionid", "session_id"),
    "item": ("item", "itemid", "item_id", "product"),
    "pos": ("pos", "position"),
    "time": ("time", "timestamp", "eventtime"),
    "example": ("example",),
    "target": ("target",),
}


class Visits(msgspec.Struct, frozen=True):
    """Clicks in the order of sessions, then of clicks: session number, product name, seconds."""

    session: Numbers
    item: npt.NDArray[Any]
    time: npt.NDArray[np.float64] | None


class Examples(msgspec.Struct, frozen=True):
    """Prefixes (product names, oldest first) and the next product of each."""

    prefixes: list[list[str]]
    targets: list[str]


def read_visits(file: Path) -> Visits:
    """Sessions with `pos` keep their order; with `time` they are put in the order of it.

    Raises InvalidInput naming a column that is missing.
    """
    with duckdb.connect() as connection:
        names = _columns(connection, file)
        session, item = _need(names, "session", file), _need(names, "item", file)
        if "time" in names:
            time = f'epoch("{names["time"]}")' if _is_moment(connection, names) else names["time"]
            place = f"{time}::DOUBLE"
            order = f"MAX({place}) OVER (PARTITION BY {session}), {session}, {place}, nr"
        else:
            place = _need(names, "pos", file)
            order = f"{session}, {place}, nr"
        # Repeated at one moment, clicks keep the order of the file.
        rows = connection.execute(
            f"SELECT {session} AS session, {item}::VARCHAR AS item, {place}::DOUBLE AS place "
            f"FROM (SELECT *, row_number() OVER () AS nr FROM data) ORDER BY {order}"
        ).fetchnumpy()
    begins = np.ones(len(rows["session"]), np.int64)
    begins[1:] = rows["session"][1:] != rows["session"][:-1]
    number = np.cumsum(begins) - 1
    return Visits(number, rows["item"], rows["place"] if "time" in names else None)


def read_examples(prefixes: Path, targets: Path) -> Examples:
    """Prefixes `example, pos, item` with targets `example, target`."""
    with duckdb.connect() as connection:
        names = _columns(connection, prefixes)
        example, item = _need(names, "example", prefixes), _need(names, "item", prefixes)
        given = connection.execute(
            f"SELECT {example} AS example, list({item}::VARCHAR ORDER BY "
            f"{_need(names, 'pos', prefixes)}) AS items FROM data GROUP BY 1"
        ).fetchall()
        names = _columns(connection, targets)
        example, target = _need(names, "example", targets), _need(names, "target", targets)
        wanted = connection.execute(
            f"SELECT {example}, {target}::VARCHAR FROM data ORDER BY 1"
        ).fetchall()
    known = dict(given)
    missing = [example for example, _ in wanted if example not in known]
    if missing:
        problem = FieldProblem("/test_targets", "unknown", f"example {missing[0]} has no prefix")
        raise InvalidInput("the examples cannot be read", [problem])
    return Examples([known[e] for e, _ in wanted], [target for _, target in wanted])


def examples_of(visits: Visits) -> Examples:
    """Every click but the first of each session, after all clicks before it."""
    prefixes: list[list[str]] = []
    targets: list[str] = []
    ends = np.flatnonzero(np.diff(visits.session, append=-1)) + 1
    items = visits.item.tolist()
    begin = 0
    for end in ends.tolist():
        for place in range(begin + 1, end):
            prefixes.append(items[begin:place])
            targets.append(items[place])
        begin = end
    return Examples(prefixes, targets)


def _columns(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    """Make the view `data` of a file; which of our columns it has, under their names there."""
    if not file.is_file():
        raise InvalidInput(f"there is no file {file}")
    reader = "read_parquet" if file.suffix == ".parquet" else "read_csv"
    path = str(file).replace("'", "''")
    try:
        connection.execute(f"CREATE OR REPLACE VIEW data AS SELECT * FROM {reader}('{path}')")
        found = connection.execute("DESCRIBE data").fetchall()
    except duckdb.Error as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from error
    present = {str(row[0]).lower(): str(row[0]) for row in found}
    named = {
        ours: next((f'"{present[name]}"' for name in names if name in present), None)
        for ours, names in NAMES.items()
    }
    return {ours: name for ours, name in named.items() if name is not None}


def _need(names: dict[str, str], column: str, file: Path) -> str:
    if column not in names:
        allowed = ", ".join(NAMES[column])
        problem = FieldProblem(f"/{column}", "required", f"{file.name} has no column {allowed}")
        raise InvalidInput("the data set cannot be read", [problem])
    return names[column]


def _is_moment(connection: duckdb.DuckDBPyConnection, names: dict[str, str]) -> bool:
    kind = connection.execute(f"SELECT typeof({names['time']}) FROM data LIMIT 1").fetchone()
    return kind is not None and str(kind[0]).startswith(("TIMESTAMP", "DATE"))
