"""Options that several commands take, and the settings they make."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from endcap.settings import FILE, Settings, read_settings

Config = Annotated[
    Path | None,
    typer.Option("--config", help=f"Settings file; {FILE} of this folder when it exists."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Data = Annotated[str | None, typer.Option("--data", help="Folder for the store and snapshots.")]
Shop = Annotated[str | None, typer.Option("--shop", help="The shop, when there are several.")]


def settings_from(config: Path | None, **overrides: Any) -> Settings:
    """Settings from the file, the environment and these options."""
    if config is None and Path(FILE).is_file():
        config = Path(FILE)
    return read_settings(config, os.environ, overrides)
