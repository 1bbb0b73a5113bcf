"""`endcap sql`: read-only SQL over the archive and the rollups."""

import csv
import sys
from typing import Annotated, Any

import msgspec
import typer

from endcap.build.reports.analyst import Analyst
from endcap.build.reports.tables import ABOUT
from endcap.measuring import rollups_of

from .options import Config, Data, Json, settings_from

Query = Annotated[str | None, typer.Argument(help="One SELECT; `-` reads it from standard input.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Limit = Annotated[int, typer.Option(min=1, help="Most rows to print.")]


def sql(
    query: Query = None,
    csv: Csv = False,
    limit: Limit = 1_000,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Ask the archived log and the rollups (as of the last build). Without a query, list tables.

    Works while the server runs; nothing can be changed and no other file read.
    """
    settings = settings_from(config, data=data)
    with Analyst.open(rollups_of(settings, settings.shop), settings.build_memory) as analyst:
        if query is None:
            _list_tables(analyst, json)
            return
        text = sys.stdin.read() if query == "-" else query
        names, rows = analyst.query(text, limit)
    if json:
        print(msgspec.json.encode([_row(names, row) for row in rows]).decode())
    elif csv:
        _print_csv(names, rows)
    else:
        _print_table(names, rows)


def _list_tables(analyst: Analyst, as_json: bool) -> None:
    found: dict[str, Any] = {}
    for table, about in ABOUT.items():
        found[table] = {"about": about, "columns": analyst.columns(table)}
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    for table, entry in found.items():
        print(f"{table}: {entry['about']}")
        print("  " + ", ".join(f"{n} {kind}" for n, kind in entry["columns"].items()))


def _row(names: list[str], row: tuple[object, ...]) -> dict[str, Any]:
    plain = (int, float, str, bool, list, type(None))
    values = (value if isinstance(value, plain) else str(value) for value in row)
    return dict(zip(names, values, strict=True))


def _print_csv(names: list[str], rows: list[tuple[object, ...]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(names)
    writer.writerows(rows)


def _print_table(names: list[str], rows: list[tuple[object, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*names)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console().print(table)
    print(f"{len(rows):,} rows")
