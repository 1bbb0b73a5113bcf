"""Taking visitors out of the archive: the files that name them are written anew without them."""

import shutil
from pathlib import Path

import duckdb
import msgspec

from endcap.core.durable import sync

from .archive import STATE, parts, read_state


def forget(folder: Path, visitors: frozenset[str]) -> int:
    """Remove every row of these visitors; return how many events that was.

    Interrupted, it is done again to the same end: a part is replaced in one step, and the counts
    are made anew from what the parts hold.
    """
    _sweep(folder)
    if not visitors or not (folder / STATE).exists():
        return 0
    touched = [part for part in parts(folder) if _holds(part, visitors)]
    if not touched:
        return 0
    before = read_state(folder).events
    for part in touched:
        _rewrite(Path(part), visitors)
    return before - _recount(folder)


def held(folder: Path, visitors: frozenset[str]) -> int:
    """How many parts still name one of them."""
    return sum(_holds(part, visitors) for part in parts(folder))


def expire(folder: Path, before: str) -> int:
    """Remove the days before `before` (like `2026-01-31`); return how many there were."""
    gone = [day for day in folder.glob("day=*") if day.name.removeprefix("day=") < before]
    for day in gone:
        shutil.rmtree(day)
    if gone:
        _recount(folder)
    return len(gone)


def _holds(part: str, visitors: frozenset[str]) -> bool:
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.execute(
            f"SELECT count(*) FROM read_parquet({_quoted(part)}) WHERE visitor IN "
            "(SELECT unnest(?)) OR merged IN (SELECT unnest(?))"
            if _has_merged(connection, part)
            else f"SELECT count(*) FROM read_parquet({_quoted(part)}) WHERE visitor IN "
            "(SELECT unnest(?))",
            [list(visitors)] * (2 if _has_merged(connection, part) else 1),
        ).fetchone()
    return bool(found and found[0])


def _has_merged(connection: duckdb.DuckDBPyConnection, part: str) -> bool:
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({_quoted(part)})")
    return any(row[0] == "merged" for row in described.fetchall())


def _rewrite(part: Path, visitors: frozenset[str]) -> None:
    fresh = part.with_suffix(".rewriting")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE gone AS SELECT unnest(?) AS visitor", [list(visitors)])
        merged = (
            " AND (merged IS NULL OR merged NOT IN (SELECT visitor FROM gone))"
            if _has_merged(connection, str(part))
            else ""
        )
        kept = (
            f"FROM read_parquet({_quoted(str(part))}, hive_partitioning = true) "
            f"WHERE visitor NOT IN (SELECT visitor FROM gone){merged}"
        )
        left = connection.execute(f"SELECT count(*) {kept}").fetchone()
        if left and left[0]:
            connection.execute(
                f"COPY (SELECT * EXCLUDE (day) {kept} ORDER BY seq, line) "
                f"TO {_quoted(str(fresh))} (FORMAT parquet)"
            )
    if not fresh.exists():
        part.unlink()
        sync(part.parent)
        return
    sync(fresh)
    fresh.replace(part)
    sync(part.parent)


def _recount(folder: Path) -> int:
    events = rows = 0
    listed = parts(folder)
    if listed:
        with duckdb.connect(config={"threads": 2}) as connection:
            files = ", ".join(_quoted(part) for part in listed)
            found = connection.execute(
                f"SELECT count(DISTINCT seq), count(*) FROM read_parquet([{files}], "
                "union_by_name = true)"
            ).fetchone()
            events, rows = found or (0, 0)
    state = msgspec.structs.replace(read_state(folder), events=events, rows=rows)
    fresh = folder / "archive.new"
    fresh.write_bytes(msgspec.json.encode(state))
    sync(fresh)
    fresh.replace(folder / STATE)
    sync(folder)
    return events


def _sweep(folder: Path) -> None:
    """Remove what an interrupted run left."""
    for left in folder.glob("day=*/*.rewriting"):
        left.unlink()
    shutil.rmtree(folder / "writing", ignore_errors=True)


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "''") + "'"
