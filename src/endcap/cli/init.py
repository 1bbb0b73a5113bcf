"""`endcap init`: settings and an empty store for a new shop."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from endcap.core.errors import ConfigurationError
from endcap.settings import FILE, Settings
from endcap.settings_file import file_text
from endcap.wiring import open_installation

from .options import Data, Json, settings_from
from .output import show


def init(
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help=f"Replace {FILE}.")] = False,
    json: Json = False,
) -> None:
    """Write endcap.toml with every setting explained, and make the store."""
    file = Path(FILE)
    if file.exists() and not force:
        raise ConfigurationError(f"{FILE} is here already; --force replaces it")
    text = file_text()
    if data is not None:
        text = text.replace('# data = "endcap-data"', f'data = "{data}"')
    file.write_text(text, "utf-8")
    settings = settings_from(file)
    asyncio.run(_make(settings))
    show(
        {"config": str(file), "data": settings.data},
        f"Wrote {FILE} and made the store in {settings.data}.\n"
        "Next: endcap import catalog FILE, endcap import events FILE, endcap build, endcap serve",
        json,
    )


async def _make(settings: Settings) -> None:
    async with open_installation(settings):
        pass
