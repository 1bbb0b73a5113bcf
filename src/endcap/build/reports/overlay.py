"""Stored rollups with newer events on top, exact without making whole days anew.

What a visitor's events count for depends on that visitor's events, on the slates they name, and on
orders that came under another visitor too. So only the visitors in the tail are counted anew: once
without it and once with it. The difference goes on top of tables that count; in tables with a row
per visitor their rows are replaced.
"""

from pathlib import Path

import duckdb

from .rollups import Day, Rollups
from .tables import COUNTING, COUNTS, READ, TABLES, compute, lines_of, listed

_TOUCHED = """
CREATE TEMP TABLE touched_visitors AS
SELECT visitor FROM tail WHERE visitor <> ''
UNION
SELECT visitor FROM stored_sales WHERE order_id IN (SELECT order_id FROM tail)
"""
# Slates without a visitor are read as far as somebody touched names them.
_OWN = """
CREATE TEMP TABLE own AS
SELECT {columns} FROM archived
WHERE seq <= {seq} AND visitor IN (SELECT visitor FROM touched_visitors)
"""
_NAMELESS = """
INSERT INTO own
SELECT {columns} FROM archived
WHERE seq <= {seq} AND type = 'served' AND visitor = '' AND token IN (
    SELECT token FROM own WHERE type <> 'served' UNION ALL
    SELECT token FROM tail WHERE type <> 'served')
"""


def overlay(database: duckdb.DuckDBPyConnection, rollups: Rollups, first: Day, tail: Path) -> None:
    """Make every rollup table in `database`: as stored, with the rows in `tail` counted.

    `first` is the first day that the tail can change.
    """
    run = database.execute
    lines_of(database, "incoming", [], tail)
    run("CREATE TEMP TABLE tail AS SELECT * FROM incoming")
    lines_of(database, "archived", rollups.lines_around(first))
    # An empty run gives every table its columns, so that a table without files can be read.
    run("CREATE TEMP VIEW lines AS SELECT * FROM tail WHERE false")
    compute(database, rollups.values(first), {})
    for table in TABLES:
        run(f"CREATE TEMP TABLE none_{table} AS FROM {table}")
        files = list(rollups.files(table))
        read = f" UNION ALL BY NAME SELECT * FROM read_parquet({listed(files)})" if files else ""
        run(f"CREATE TEMP VIEW stored_{table} AS FROM none_{table}{read}")
    run(_TOUCHED)
    seq = rollups.state().seq
    run(_OWN.format(seq=seq, columns=READ))
    run(_NAMELESS.format(seq=seq, columns=READ))
    kept = f"day < DATE '{first}' OR visitor NOT IN (SELECT visitor FROM touched_visitors)"
    reach = f"day >= DATE '{first}' - {rollups.attribution.days + 1} AND day < DATE '{first}'"
    earlier = {
        "touches": f"SELECT * FROM stored_touches WHERE {reach}",
        "sales": f"SELECT * FROM stored_sales WHERE {kept}",
        "credits": f"SELECT * FROM stored_credits WHERE {kept}",
    }
    run("CREATE OR REPLACE TEMP VIEW lines AS FROM own")
    compute(database, rollups.values(first), earlier, COUNTING)
    for table in COUNTS:
        run(f"ALTER TABLE {table} RENAME TO old_{table}")
    run("CREATE OR REPLACE TEMP VIEW lines AS SELECT * FROM own UNION ALL BY NAME FROM tail")
    compute(database, rollups.values(first), earlier)
    for table in TABLES:
        run(f"ALTER TABLE {table} RENAME TO new_{table}")
        text = _counted(table, first) if table in COUNTS else _replaced(table, kept)
        run(f"CREATE TEMP VIEW {table} AS {text}")


def _replaced(table: str, kept: str) -> str:
    return f"SELECT * FROM stored_{table} WHERE {kept} UNION ALL BY NAME FROM new_{table}"


def _counted(table: str, first: Day) -> str:
    counts = COUNTS[table]
    added = ", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in counts)
    negative = ", ".join(f"-{name} AS {name}" for name in counts)
    return (
        f"SELECT * FROM stored_{table} WHERE day < DATE '{first}' UNION ALL BY NAME "
        f"SELECT * EXCLUDE ({', '.join(counts)}), {added} FROM ("
        f"SELECT * FROM stored_{table} WHERE day >= DATE '{first}' UNION ALL BY NAME "
        f"FROM new_{table} UNION ALL BY NAME SELECT * REPLACE ({negative}) FROM old_{table}"
        f") GROUP BY ALL HAVING {' OR '.join(f'sum({name}) <> 0' for name in counts)}"
    )
