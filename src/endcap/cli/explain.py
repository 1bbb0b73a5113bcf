"""`endcap explain`: why a slate that was served is as it is, and why a product is not in it."""

import asyncio
from typing import Annotated, Any

import typer

from endcap.settings import Settings
from endcap.wiring import open_installation

from .options import Config, Data, Json, settings_from
from .output import show


def explain(
    token: Annotated[str, typer.Argument(help="Token of the slate, from the answer.")],
    product: Annotated[
        str | None, typer.Option(help="Say why this product is not in the slate.")
    ] = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a served slate again and print every decision behind it."""
    found = asyncio.run(_explain(settings_from(config, data=data), token, product))
    show(found, _why_not(found) if product is not None else _text(found), json)


async def _explain(settings: Settings, token: str, product: str | None) -> dict[str, Any]:
    async with open_installation(settings) as installation:
        if product is not None:
            return await installation.traces.why_not(settings.shop, token, product)
        return await installation.traces.trace(settings.shop, token)


def _why_not(found: dict[str, Any]) -> str:
    if found["shown"]:
        return f"{found['product']} is in the slate, at position {found['position']}."
    return f"{found['product']} is not in the slate. {found['by']}: {found['why']}"


def _text(found: dict[str, Any]) -> str:
    trace = found["trace"]
    lines = [f"{found['placement']}: {len(trace['items'])} products"]
    for item in trace["items"]:
        lines.append(
            f"{item['position']:>3}  {item['id']}  score {item['score']:.3f} = "
            f"{item['base']:.3f} x {item['factor']:.3g}"
        )
        lines.append(f"       {item['staff']}")
    lines += [f"  removed  {gone['id']}  {gone['by']}" for gone in trace["removed"][:10]]
    lines += [f"  note: {difference}" for difference in found["differences"]]
    return "\n".join(lines)
