"""`endcap import catalog|events`: files into the shop."""

import asyncio
import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from endcap.core.errors import EndcapError, FieldProblem, InvalidInput
from endcap.core.event import EventIn
from endcap.core.receipt import ImportReport, RowError
from endcap.ingest.foreign.events import FORMS, translated
from endcap.ingest.formats.detect import FORMATS, format_of_name
from endcap.ingest.formats.events import EventRow, events_of, read_events
from endcap.ingest.formats.products import ProductRow, products_of, read_products
from endcap.installation import Installation
from endcap.settings import Settings
from endcap.storage.parquet import read_parquet
from endcap.wiring import open_installation

from .options import Config, Data, Json, settings_from
from .output import EXIT_PARTIAL, Progress, progress, show

BATCH = 500
SHOWN = 100
app = typer.Typer(help="Import products or events from a file.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="NDJSON, JSON, CSV, TSV, XML (also .gz) or Parquet.")]
Format = Annotated[str | None, typer.Option(help="When neither name nor fields say it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check.")]
Rejects = Annotated[
    Path | None, typer.Option(help="Write every refusal here as CSV: line, field, code, message.")
]
Refused = Callable[[RowError], None]


@app.command("catalog")
def catalog(  # noqa: PLR0913, PLR0917 - the options of the command
    file: File,
    format: Format = None,
    dry_run: DryRun = False,
    rejects: Rejects = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Import products. Good rows are stored; the others are listed, and the exit code is 3."""
    settings = settings_from(config, data=data)
    name = _format(file, format)
    with progress(f"Importing {file.name}", json) as report, _rejects(rejects) as refused:
        task = _catalog(settings, (file, name), (dry_run, refused), report)
        result = asyncio.run(task)
    _finish(result, json)


@app.command("events")
def events(  # noqa: PLR0913, PLR0917 - the options of the command
    file: File,
    format: Format = None,
    dry_run: DryRun = False,
    rejects: Rejects = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Import events, each once however often it is imported; exit code 3 when some are refused."""
    settings = settings_from(config, data=data)
    name = _format(file, format)
    with progress(f"Importing {file.name}", json) as report, _rejects(rejects) as refused:
        task = _events(settings, (file, name), (dry_run, refused), report)
        result = asyncio.run(task)
    _finish(result, json)


async def _catalog(
    settings: Settings, source: tuple[Path, str], how: tuple[bool, Refused], report: Progress
) -> ImportReport:
    file, name = source
    size = max(1, file.stat().st_size)
    async with open_installation(settings) as installation:
        with file.open("rb") as stream:

            def rows() -> Iterator[ProductRow]:
                parquet = name == "parquet"
                found = products_of(read_parquet(file), False) if parquet else None
                for count, row in enumerate(found or read_products(stream, name), 1):
                    if count % 1_000 == 0:
                        report(f"{count:,} products", min(1.0, stream.tell() / size))
                    yield row

            return await installation.catalogue.import_rows(settings.shop, rows(), *how)


async def _events(
    settings: Settings, source: tuple[Path, str], how: tuple[bool, Refused], report: Progress
) -> ImportReport:
    file, name = source
    size = max(1, file.stat().st_size)
    async with open_installation(settings) as installation:
        with file.open("rb") as stream:
            rows = _to_the_tear(_event_rows(stream, file, name))
            total, named = ImportReport(), Counter[str]()
            while chunk := list(islice(rows, BATCH)):
                total = await _take(installation, chunk, total, how)
                _count(named, chunk)
                report(f"{total.read:,} events", min(1.0, stream.tell() / size))
            return _matched(installation, total, named)


def _event_rows(stream: BinaryIO, file: Path, name: str) -> Iterator[EventRow]:
    if name == "parquet":
        return events_of(translated(read_parquet(file), None))
    form = name if name in FORMS else None
    return read_events(stream, (format_of_name(file.name) or "ndjson") if form else name, form)


def _to_the_tear(rows: Iterator[EventRow]) -> Iterator[EventRow]:
    """The rows; a file that breaks after some of them ends with a refused row (line 0)."""
    read = 0
    try:
        for row in rows:
            read += 1
            yield row
    except EndcapError as error:
        if not read:
            raise
        message = f"{error.detail}; the rest of the file was not read"
        yield EventRow(0, None, (FieldProblem("", error.code, message),))


async def _take(
    installation: Installation,
    chunk: list[EventRow],
    total: ImportReport,
    how: tuple[bool, Refused],
) -> ImportReport:
    errors = [RowError(row.line, row.problems) for row in chunk if row.value is None]
    good: list[tuple[int, EventIn]] = [(r.line, r.value) for r in chunk if r.value is not None]
    written = duplicates = 0
    shop, sent = installation.settings.shop, [event for _, event in good]
    if how[0]:
        bad = installation.collector.refused(shop, "import", sent)
        written = len(sent) - len(bad)
    else:
        receipt = await installation.collector.take(shop, "import", sent)
        written, duplicates = receipt.accepted, receipt.duplicates
        bad = [verdict for verdict in receipt.results if verdict.status == "rejected"]
    errors += [RowError(good[verdict.index][0], verdict.errors) for verdict in bad]
    errors.sort(key=lambda error: error.line)
    for error in errors:
        how[1](error)
    return ImportReport(
        read=total.read + len(chunk),
        written=total.written + written,
        duplicates=total.duplicates + duplicates,
        rejected=total.rejected + len(errors),
        errors=(total.errors + errors)[:SHOWN],
    )


def _count(named: Counter[str], chunk: list[EventRow]) -> None:
    for row in chunk:
        if row.value is not None:
            own = [row.value.product] if row.value.product else []
            named.update(own + [line.id for line in row.value.products])


def _matched(installation: Installation, total: ImportReport, named: Counter[str]) -> ImportReport:
    """How many of the products named the catalogue has: the first thing to look at."""
    columns = installation.live.state(installation.settings.shop).columns
    unknown = {p: n for p, n in named.most_common() if columns.row(p) is None}
    count = sum(named.values())
    return msgspec.structs.replace(
        total,
        products_named=count,
        products_known=count - sum(unknown.values()),
        unknown_products=dict(islice(unknown.items(), 10)),
    )


@contextmanager
def _rejects(file: Path | None) -> Iterator[Refused]:
    """Takes refusals and writes them to the file, when there is one."""
    if file is None:
        yield lambda _: None
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["line", "field", "code", "message"])
        yield lambda error: writer.writerows(
            [error.line, p.pointer, p.code, p.message] for p in error.errors
        )


def _format(file: Path, given: str | None) -> str:
    name = given or format_of_name(file.name)
    known = (*FORMATS, "parquet", *FORMS)
    if name not in known:
        message = f"name one of {', '.join(known)} with --format"
        raise InvalidInput(
            f"{file.name}: unknown format", [FieldProblem("/format", "not_allowed", message)]
        )
    if not file.is_file():
        raise InvalidInput(f"there is no file {file}")
    return name


def _finish(report: ImportReport, as_json: bool) -> None:
    lines = [
        f"{report.read:,} rows read, {report.written:,} written, "
        f"{report.duplicates:,} known already, {report.rejected:,} refused"
    ]
    if report.products_named:
        share = report.products_known / report.products_named
        lines.append(f"{share:.1%} of the products named are in the catalogue")
        worst = ", ".join(f"{p} ({n:,} times)" for p, n in report.unknown_products.items())
        lines += [f"  not in it, most named first: {worst}"] if worst else []
    for error in report.errors[:10]:
        lines += [f"  line {error.line}: {p.pointer or '/'} {p.message}" for p in error.errors]
    show(report, "\n".join(lines), as_json)
    if report.rejected:
        raise typer.Exit(EXIT_PARTIAL)
