"""`endcap serve`: the server."""

from typing import Annotated

import typer

from endcap.settings import Settings
from endcap.wiring import open_installation, run_server

from .loop import run
from .options import Config, Data, settings_from


def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Serve the API until stopped."""
    run(_serve(settings_from(config, host=host, port=port, data=data), json))


async def _serve(settings: Settings, as_json: bool) -> None:
    async with open_installation(settings, serving=True) as installation:
        await run_server(installation, lambda url: announce(url, as_json))


def announce(url: str, as_json: bool) -> None:
    """Print where the server answers."""
    if as_json:
        print(f'{{"url": "{url}"}}', flush=True)
    else:
        print(f"Endcap answers at {url}  (API docs: {url}/docs)", flush=True)
