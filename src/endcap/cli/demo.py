"""`endcap demo`: a working shop with real data in one command."""

from typing import Annotated

import typer

from endcap.demo.load import load_gift_shop
from endcap.installation import Installation
from endcap.serving import run_server
from endcap.settings import Settings
from endcap.wiring import open_installation

from .build import run_build
from .loop import run
from .options import settings_from
from .output import progress, say
from .serve import access_notice

CREDIT = (
    "Data: UCI Online Retail (Chen, Sain, Guo 2012), CC BY 4.0, https://doi.org/10.24432/C5BW33"
)


def demo(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8400,
    data: Annotated[str, typer.Option(help="Folder for the demo shop.")] = "demo-data",
    load_only: Annotated[
        bool, typer.Option("--load-only", help="Load and build, then stop.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Load a UK gift shop (541,909 invoice lines), build relations, and serve it."""
    settings = settings_from(None, data=data, port=port, currency="GBP")
    run(_demo(settings, load_only, json))


async def _demo(settings: Settings, load_only: bool, as_json: bool) -> None:
    async with open_installation(settings, serving=not load_only) as installation:
        with progress("Loading the gift shop", as_json) as report:
            control = installation.store.control
            loaded = await load_gift_shop(installation, control, settings.shop, report)
        if loaded is not None:
            say(loaded.text(), as_json)
        if installation.live.state(settings.shop).joined.snapshot is None:
            await run_build(installation, as_json)
        say(CREDIT, as_json)
        if not load_only:
            await run_server(installation, lambda url: _announce(url, installation, as_json))


def _announce(url: str, installation: Installation, as_json: bool) -> None:
    if as_json:
        print(f'{{"url": "{url}"}}', flush=True)
        return
    columns = installation.live.state(installation.settings.shop).columns
    print(
        f"\n  The shop is open: {columns.live:,} products\n"
        f"  Shop front  {url}/demo-shop\n"
        f"  Dashboard   {url}/dashboard\n"
        f"  API docs    {url}/docs\n"
        f"  Health      {url}/readyz\n\n"
        "  Try what goes with the white hanging heart T-light holder:\n"
        f"  curl '{url}/v1/recommendations/product?seed=85123A&count=4'\n",
        flush=True,
    )
    print(f"  {access_notice(url, installation)}\n", flush=True)
