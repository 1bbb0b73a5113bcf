"""`endcap recommend`: one slate on the terminal, with its reasons."""

import asyncio
from typing import Annotated

import typer

from endcap.core.answer import Slate
from endcap.core.request import RecommendationRequest
from endcap.settings import Settings
from endcap.wiring import open_installation

from .options import Config, Data, Json, settings_from
from .output import show


def recommend(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    placement: Annotated[str, typer.Argument(help="Name of the placement, e.g. `product`.")],
    visitor: Annotated[str | None, typer.Option(help="Visitor id.")] = None,
    seed: Annotated[list[str] | None, typer.Option(help="Product the slate is about.")] = None,
    cart: Annotated[list[str] | None, typer.Option(help="Product in the cart.")] = None,
    count: Annotated[int | None, typer.Option(help="How many; else the placement's own.")] = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print what a placement would show, and why."""
    request = RecommendationRequest(
        placement=placement,
        visitor=visitor,
        seed=seed or [],
        cart=cart or None,
        count=count,
        explain=json,
    )
    slate = asyncio.run(_recommend(settings_from(config, data=data), request))
    show(slate, _text(slate), json)


async def _recommend(settings: Settings, request: RecommendationRequest) -> Slate:
    async with open_installation(settings) as installation:
        return await installation.recommender.recommend(settings.shop, request)


def _text(slate: Slate) -> str:
    lines = [f"{slate.placement}: {len(slate.items)} products"]
    for item in slate.items:
        lines.append(f"{item.position:>3}  {item.id}  score {item.score:.3f}  [{item.rung}]")
        lines += [f"       {reason.text}" for reason in item.reasons]
    return "\n".join(lines)
