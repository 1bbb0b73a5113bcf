"""Placements: what each shows a shopper, why, and why not."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.request import RecommendationRequest
from endcap.core.status import PlacementView
from endcap.core.times import parse_time
from endcap.recommend.parameters import MainParameters, main_parameters
from endcap.services.previews import Look
from endcap.services.shadow import ShadowView
from endcap.web.dashboard.page import Action, Page, PageCall

FIELDS = ("seed", "cart", "visitor", "zone", "device", "category", "filter", "at", "why")


class Listed(msgspec.Struct, frozen=True):
    """What the list shows."""

    placements: list[PlacementView]


class Detail(msgspec.Struct, frozen=True):
    """What the page of one placement shows; `asked` are the fields of the simulation."""

    heading: str
    live: PlacementView
    versions: list[PlacementView]
    parameters: MainParameters
    asked: dict[str, str]
    preview: Look
    shadow: ShadowView
    has_draft: bool
    why_not: dict[str, str] | None


async def placements(call: PageCall) -> Listed:
    """Every placement."""
    return Listed(list(await call.services.placements.list(call.shop)))


async def placement(call: PageCall) -> Detail:
    """One placement with a simulated shopper."""
    name = call.path["name"]
    services = call.services
    live = await services.placements.get(call.shop, name)
    asked = {field: call.query.get(field, "").strip() for field in FIELDS}
    request, at = _request(name, asked), _moment(asked["at"])
    plan = services.placements.plan(call.shop, name)
    rules = services.rules.for_placement(call.shop, name)
    title = live.placement.title if live.placement else ""
    return Detail(
        heading=title or name,
        live=live,
        versions=list(await services.placements.history(call.shop, name)),
        parameters=main_parameters(plan, rules, title),
        asked=asked,
        preview=await services.previews.look(call.shop, request, at),
        shadow=await services.shadows.get(call.shop, name),
        has_draft=await services.drafts.get(call.shop, name) is not None,
        why_not=await _why_not(call, request, at, asked["why"]),
    )


async def _why_not(
    call: PageCall, request: RecommendationRequest, at: int | None, product: str
) -> dict[str, str] | None:
    if not product:
        return None
    why = await call.services.previews.why_not(call.shop, request, at, product)
    if why is None:
        return {"product": product, "by": "", "why": "It may be shown; others came first."}
    by, _, text = why.partition(": ")
    return {"product": product, "by": by, "why": text}


def _request(name: str, asked: dict[str, str]) -> RecommendationRequest:
    def several(field: str) -> list[str]:
        return [one.strip() for one in asked[field].split(",") if one.strip()]

    return RecommendationRequest(
        placement=name,
        visitor=asked["visitor"] or None,
        seed=several("seed"),
        cart=several("cart") or None,
        zone=asked["zone"] or None,
        device=asked["device"] or None,
        category=asked["category"] or None,
        filter=asked["filter"] or None,
    )


async def shadow_start(call: PageCall) -> Response:
    """Try the draft on a part of the requests."""
    name = call.path["name"]
    try:
        sample = float(call.form.get("sample", "0.1"))
    except ValueError:
        sample = 0.0
    await call.services.shadows.start(call.shop, name, sample, call.author)
    return call.go(f"/dashboard/placements/{name}", said="The draft runs in the shadow.")


async def shadow_stop(call: PageCall) -> Response:
    """Try it no more."""
    name = call.path["name"]
    await call.services.shadows.stop(call.shop, name, call.author)
    return call.go(f"/dashboard/placements/{name}", said="The shadow is stopped.")


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        problem = FieldProblem("/at", "invalid", "must be a time like 2026-01-31T12:00")
        raise InvalidInput("the preview cannot be made", [problem]) from error


def _page(**fields: Any) -> Page:
    return Page(group="", **fields)


PAGES = (
    Page(
        id="placements",
        path="/placements",
        title="Placements",
        template="placements.html",
        data=placements,
        group="Merchandise",
        place=10,
    ),
    _page(
        id="placement",
        path="/placements/{name}",
        title="Placement",
        template="placement.html",
        data=placement,
    ),
)


def _action(name: str, act: Any) -> Action:
    return Action(
        id=f"shadow_{name}",
        path=f"/placements/{{name}}/shadow-{name}",
        act=act,
        scope="rules:edit",
        page="placement",
    )


ACTIONS = (_action("start", shadow_start), _action("stop", shadow_stop))
