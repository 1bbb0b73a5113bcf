"""`endcap build`: a new snapshot from the log."""

import asyncio
from typing import Annotated

import typer

from endcap.core.errors import EndcapError
from endcap.core.status import BuildStatus
from endcap.installation import Installation
from endcap.settings import Settings
from endcap.wiring import open_installation

from .options import Config, Data, Json, settings_from
from .output import Progress, progress, show

Engine = Annotated[str | None, typer.Option(help="duckdb or spark; else `build_engine`.")]
Master = Annotated[str | None, typer.Option(help="Spark's master; else `spark_master`.")]


def build(
    config: Config = None,
    data: Data = None,
    engine: Annotated[
        str | None, typer.Option(help="duckdb or spark; else `build_engine`.")
    ] = None,
    master: Annotated[str | None, typer.Option(help="Spark's master; else `spark_master`.")] = None,
    json: Json = False,
) -> None:
    """Count the log into relations and publish them as a snapshot."""
    settings = settings_from(config, data=data, build_engine=engine, spark_master=master)
    status = asyncio.run(_build(settings, json))
    show(status, f"Snapshot {status.snapshot} is published.", json)


async def _build(settings: Settings, as_json: bool) -> BuildStatus:
    async with open_installation(settings, answers=False) as installation:
        return await run_build(installation, as_json)


async def run_build(installation: Installation, as_json: bool) -> BuildStatus:
    """Build and show how far it is. Raises EndcapError when the build fails."""
    with progress("Building relations", as_json) as report:
        shop = installation.settings.shop
        await installation.builds.start(shop)
        watcher = asyncio.create_task(_watch(installation, report))
        status = await installation.builds.finished(shop)
        watcher.cancel()
    if status.state == "failed":
        raise EndcapError(f"the build failed: {status.error}")
    return status


async def _watch(installation: Installation, report: Progress) -> None:
    while True:
        status = installation.builds.status(installation.settings.shop)
        report(status.stage, status.done)
        await asyncio.sleep(0.1)
