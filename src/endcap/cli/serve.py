"""`endcap serve`: the server."""

from typing import Annotated

import typer

from endcap.fresh import system_clock
from endcap.installation import Installation
from endcap.secured import login_url
from endcap.serving import run_server
from endcap.settings import Settings
from endcap.wiring import open_installation

from .loop import run
from .options import Config, Data, settings_from


def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Data = None,
    role: Annotated[
        str | None, typer.Option(help="all, or recommend, collect, admin, worker.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Serve the API until stopped."""
    run(_serve(settings_from(config, host=host, port=port, data=data, role=role), json))


async def _serve(settings: Settings, as_json: bool) -> None:
    async with open_installation(settings, serving=True) as installation:
        await run_server(installation, lambda url: announce(url, installation, as_json))


def announce(url: str, installation: Installation, as_json: bool) -> None:
    """Print where the server answers, and who may use it."""
    if as_json:
        print(f'{{"url": "{url}"}}', flush=True)
        return
    print(f"Endcap answers at {url}  (API docs: {url}/docs)", flush=True)
    print(access_notice(url, installation), flush=True)


def access_notice(url: str, installation: Installation) -> str:
    """Who may use the server; the first time, the link that makes the first account."""
    settings = installation.settings
    if settings.open_door:
        return (
            "Open: every program on this machine may do everything, as `auth` is off on loopback. "
            'auth = "required" asks for keys.'
        )
    if installation.security.has_accounts(settings.shop) or settings.api_key:
        return "Callers must show a key or token; `endcap login-link` lets you sign in."
    base = settings.public_url or url
    link = login_url(base, installation.security.secret, settings.shop, "admin", system_clock())
    return f"Nobody can sign in yet. This link makes you the first administrator, once:\n  {link}"
