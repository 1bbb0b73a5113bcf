"""`endcap preview`: a placement as it is and with drafts, for any visitor at any time."""

import asyncio
from typing import Annotated

import msgspec
import typer

from endcap.core.preview import MadeUpVisitor, Preview, PreviewRequest
from endcap.settings import Settings
from endcap.wiring import open_installation

from .drafts import DraftFile, Drafts, Without, drafted, read_placement
from .options import Config, Data, Json, settings_from
from .output import show


def preview(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    placement: Annotated[str, typer.Argument(help="Name of the placement, e.g. `home`.")],
    rule: Drafts = None,
    without: Without = None,
    draft: DraftFile = None,
    visitor: Annotated[str | None, typer.Option(help="A real visitor.")] = None,
    segment: Annotated[list[str] | None, typer.Option(help="A made-up visitor's segment.")] = None,
    orders: Annotated[int, typer.Option(help="A made-up visitor's orders.")] = 0,
    seed: Annotated[list[str] | None, typer.Option(help="Product the slate is about.")] = None,
    cart: Annotated[list[str] | None, typer.Option(help="Product in the cart.")] = None,
    zone: Annotated[str | None, typer.Option(help="Shipping zone.")] = None,
    count: Annotated[int | None, typer.Option(help="How many; else the placement's own.")] = None,
    as_of: Annotated[str | None, typer.Option(help="A time, like 2026-12-24T09:00:00Z.")] = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print a placement as it is and with drafts, and what moves. Nothing is logged."""
    made_up = None
    if visitor is None and (segment or orders):
        made_up = MadeUpVisitor(orders=orders, segments=tuple(segment or ()))
    asked = PreviewRequest(
        placement=placement,
        visitor=visitor,
        made_up=made_up,
        seed=seed or [],
        cart=cart or None,
        zone=zone,
        count=count,
        as_of=as_of,
        without=without or [],
        draft=read_placement(draft),
    )
    found = asyncio.run(_preview(settings_from(config, data=data), asked, rule or []))
    show(found, _text(found), json)


async def _preview(settings: Settings, asked: PreviewRequest, drafts: list[str]) -> Preview:
    async with open_installation(settings) as installation:
        ruling = installation.ruling
        _, rules = await drafted(ruling.rules, settings.shop, drafts, [])
        asked = msgspec.structs.replace(asked, rules=rules)
        return await ruling.previews.preview(settings.shop, asked)


def _text(found: Preview) -> str:
    lines = [f"{found.placement} as of {found.as_of}"]
    if found.segments:
        lines.append(f"segments: {', '.join(found.segments)}")
    before = {item.id: place for place, item in enumerate(found.before, 1)}
    lines.append(f"{'now':>4} {'then':>4}  product")
    for place, item in enumerate(found.after, 1):
        was = before.get(item.id, "-")
        rules = f"  [{'; '.join(item.rules)}]" if item.rules else ""
        lines.append(f"{was:>4} {place:>4}  {item.id}  {item.title}{rules}")
    after = {item.id for item in found.after}
    lines += [
        f"{place:>4} {'-':>4}  {item.id}  {item.title}"
        for place, item in enumerate(found.before, 1)
        if item.id not in after
    ]
    return "\n".join(lines)
