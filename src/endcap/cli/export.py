"""`endcap export`: slates for a list of visitors, as a file."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.request import RecommendationRequest
from endcap.ingest.formats.detect import FORMATS, format_of_name
from endcap.ingest.formats.rows import Fields, read_rows
from endcap.services.export import ExportRow, ExportService
from endcap.settings import Settings
from endcap.storage.parquet import read_parquet
from endcap.storage.slate_files import ExportState, SlateFiles, discard
from endcap.wiring import open_installation

from .loop import run
from .options import Config, Data, Json, settings_from
from .output import EXIT_PARTIAL, Progress, progress, show

PART = 2_000


class Export(msgspec.Struct, frozen=True):
    """What the command was asked for."""

    request: RecommendationRequest
    visitors: Path
    target: Path
    part: int


def export(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    placement: Annotated[str, typer.Option(help="Name of the placement, e.g. `home`.")],
    visitors: Annotated[
        Path,
        typer.Option(
            help="Visitor ids: one per line (.txt), or a column `visitor` of CSV, NDJSON, Parquet."
        ),
    ],
    to: Annotated[Path, typer.Option(help="File to write: .parquet, .csv or .ndjson.")],
    count: Annotated[int | None, typer.Option(help="How many; else the placement's own.")] = None,
    zone: Annotated[str | None, typer.Option(help="Shipping zone.")] = None,
    part: Annotated[int, typer.Option(help="Visitors per part, kept when it breaks off.")] = PART,
    restart: Annotated[bool, typer.Option("--restart", help="Throw earlier parts away.")] = False,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write what a placement shows to each visitor, one row per slot, for an e-mail campaign.

    Run again after it broke off, it goes on where it was. Ids that cannot be used are left out and
    counted; the exit code is then 3.
    """
    settings = settings_from(config, data=data)
    request = RecommendationRequest(placement=placement, count=count, zone=zone)
    if not visitors.is_file():
        raise InvalidInput(f"there is no file {visitors}")
    if restart:
        discard(to)
    job = Export(request, visitors, to, max(1, part))
    with progress(f"Exporting {placement}", json) as report:
        state = run(_export(settings, job, report))
    text = (
        f"{state.rows:,} rows for {state.visitors - state.refused:,} visitors in {to}; "
        f"{state.refused:,} ids refused"
    )
    show(msgspec.to_builtins(state), text, json)
    if state.refused:
        raise typer.Exit(EXIT_PARTIAL)


async def _export(settings: Settings, job: Export, report: Progress) -> ExportState:
    total = sum(1 for _ in visitor_ids(job.visitors))
    files = SlateFiles(job.target, ExportRow.__struct_fields__, _named(job, total))
    async with open_installation(settings) as installation:
        service = ExportService(installation.recommender, installation.served)
        ids = islice(visitor_ids(job.visitors), files.state.visitors, None)
        while chunk := list(islice(ids, job.part)):
            first = files.state.visitors + 1
            made = await service.part(settings.shop, job.request, chunk, first)
            files.add(made.rows, len(chunk), len(made.errors))
            report(f"{files.state.visitors:,} visitors", files.state.visitors / max(1, total))
    return files.finish()


def visitor_ids(file: Path) -> Iterator[str]:
    """The visitor ids of a file, in order. Raises InvalidInput for a row without one."""
    if file.suffix == ".txt":
        with file.open(encoding="utf-8") as stream:
            yield from (line for row in stream if (line := row.rstrip("\r\n")))
        return
    for row in _rows(file):
        value = (row.fields or {}).get("visitor")
        if value is None or row.problems:
            problem = FieldProblem("/visitor", "missing", f"line {row.line} has no `visitor`")
            raise InvalidInput(f"{file.name} is no list of visitors", [problem])
        yield str(value)


def _rows(file: Path) -> Iterator[Fields]:
    name = format_of_name(file.name)
    if file.suffix == ".parquet":
        yield from read_parquet(file)
    elif name in FORMATS:
        with file.open("rb") as stream:
            yield from read_rows(stream, name)
    else:
        raise InvalidInput(f"{file.name}: give a .txt, .csv, .ndjson or .parquet file")


def _named(job: Export, total: int) -> dict[str, str]:
    """What tells this export from another one into the same file."""
    request = job.request
    return {
        "placement": request.placement,
        "count": str(request.count),
        "zone": str(request.zone),
        "visitors": job.visitors.name,
        "ids": str(total),
    }
