"""`endcap login-link` and `endcap key`: the first ways in, from the machine of the server."""

import asyncio
from typing import Annotated

import msgspec
import typer

from endcap.core.access import EVERY_SCOPE, SCOPES, Caller
from endcap.core.access_requests import KeyRequest, KeyView
from endcap.fresh import system_clock
from endcap.secret import read_secret
from endcap.secured import login_url
from endcap.services.administration import Administration
from endcap.settings import Settings
from endcap.wiring import open_installation

from .options import Config, Data, Json, Shop, settings_from
from .output import show


def login_link(
    account: Annotated[str, typer.Option(help="Whom it signs in.")] = "admin",
    shop: Shop = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print a link that signs in once, within 15 minutes; works while the server runs."""
    settings = settings_from(config, data=data)
    secret = read_secret(settings)
    base = settings.public_url or _running(settings) or settings.url
    url = login_url(base, secret, shop or settings.shop, account, system_clock())
    show({"url": url}, url, json)


def _running(settings: Settings) -> str:
    """Where the server of this data folder answers, as its lock file says."""
    try:
        about = msgspec.json.decode((settings.folder / "endcap.lock").read_bytes(), type=_Lock)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return about.url


class _Lock(msgspec.Struct):
    url: str = ""


def key(
    title: Annotated[str, typer.Option(help="What it is for.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it may do, repeated: {', '.join(SCOPES)}.")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Makes it publishable, for pages of this origin; can be repeated."),
    ] = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make an API key while the server is stopped (else: POST /v1/keys). It is shown once."""
    request = KeyRequest(
        kind="publishable" if origin else "secret",
        title=title,
        scopes=scope or ([] if origin else sorted(SCOPES)),
        origins=origin or [],
    )
    view = asyncio.run(_make(settings_from(config, data=data), request))
    show(view, f"{view.key}\n(kept as a digest only; it is not shown again)", json)


async def _make(settings: Settings, request: KeyRequest) -> KeyView:
    by = Caller(kind="local", name="", shop=settings.shop, scopes=EVERY_SCOPE)
    async with open_installation(settings) as installation:
        return await Administration(installation.security).make_key(by, request)
