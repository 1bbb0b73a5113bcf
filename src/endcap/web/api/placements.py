"""Placements: read, change, and look back."""

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    UnknownPlacement,
    VersionConflict,
)
from endcap.core.placement import Placement
from endcap.core.preview import Preview, PreviewRequest
from endcap.core.status import PlacementView
from endcap.recommend.parameters import MainParameters, main_parameters
from endcap.services.four_eyes import NeedsAnotherPerson
from endcap.web.call import Call, answer, expected_version, number
from endcap.web.operations import Parameter, maker

NAME = Parameter("name", "Name of the placement.", place="path")
IF_MATCH = Parameter("If-Match", "Change only this version.", place="header")
NOTE = Parameter("note", "Why it is changed; kept with the version.")
VERSION = Parameter("version", "An older version.", {"type": "integer", "minimum": 1})
PREFIX = "/v1/placements/"
SUFFIX = "/versions"
PARAMETERS = "/parameters"
PREVIEW = "/preview"


class Placements(msgspec.Struct, frozen=True):
    """Placements or versions of one."""

    data: list[PlacementView]


async def list_placements(call: Call) -> Response:
    """The live version of every placement."""
    return answer(Placements(list(await call.services.placements.list(call.shop))))


async def get_placement(call: Call) -> Response:
    """One placement."""
    version = number(call.query(), "version", None)
    return _tagged(await call.services.placements.get(call.shop, call.tail(PREFIX), version))


async def get_versions(call: Call) -> Response:
    """Every version of a placement."""
    name = call.tail(PREFIX).removesuffix(SUFFIX)
    return answer(Placements(list(await call.services.placements.history(call.shop, name))))


async def put_placement(call: Call) -> Response:
    """Store a new version; it is live at once."""
    note = call.query().get("note", [""])[-1][:2_000]
    body = await call.body(call.services.max_body)
    expected = expected_version(call)
    name = call.tail(PREFIX)
    if call.services.four_eyes.policy(call.shop).four_eyes:
        call.need("rules:publish")
    by = call.caller.audited_as
    view = await call.services.placements.put(call.shop, name, body, expected, by, note)
    return _tagged(view)


async def delete_placement(call: Call) -> Response:
    """Take a placement out of use."""
    await call.services.placements.delete(call.shop, call.tail(PREFIX), call.caller.audited_as, "")
    return Response(status_code=204)


async def get_parameters(call: Call) -> Response:
    """What decides what a placement shows, in plain language."""
    call.query()
    name = call.tail(PREFIX).removesuffix(PARAMETERS)
    view = await call.services.placements.get(call.shop, name)
    plan = call.services.placements.plan(call.shop, name)
    rules = call.services.rules.for_placement(call.shop, name)
    title = view.placement.title if view.placement else ""
    return answer(main_parameters(plan, rules, title))


async def preview_placement(call: Call) -> Response:
    """A placement as it is and with drafts."""
    name = call.tail(PREFIX).removesuffix(PREVIEW)
    asked = await call.decoded(PreviewRequest, call.services.max_body)
    asked = msgspec.structs.replace(asked, placement=name)
    return answer(await call.services.previews.preview(call.shop, asked))


def _tagged(view: PlacementView) -> Response:
    response = answer(view)
    response.headers["etag"] = f'"{view.version}"'
    return response


_operation = maker(path="/v1/placements/{name}", tag="Placements")


OPERATIONS = (
    _operation(
        id="list_placements",
        method="GET",
        path="/v1/placements",
        handler=list_placements,
        scope="recommendations:read",
        about="The live version of every placement.",
        answer=Placements,
    ),
    _operation(
        id="get_placement",
        method="GET",
        handler=get_placement,
        scope="recommendations:read",
        about="One placement, live or an older version.",
        parameters=(NAME, VERSION),
        answer=PlacementView,
        errors=(InvalidInput, NotFound, UnknownPlacement),
    ),
    _operation(
        id="get_placement_versions",
        method="GET",
        path="/v1/placements/{name}/versions",
        handler=get_versions,
        scope="recommendations:read",
        about="Every version, newest first.",
        parameters=(NAME,),
        answer=Placements,
        errors=(InvalidInput, UnknownPlacement),
    ),
    _operation(
        id="get_placement_parameters",
        method="GET",
        path="/v1/placements/{name}/parameters",
        handler=get_parameters,
        scope="recommendations:read",
        about="What decides what this placement shows, in plain language, made from what runs now.",
        parameters=(NAME,),
        answer=MainParameters,
        errors=(InvalidInput, NotFound, UnknownPlacement),
    ),
    _operation(
        id="put_placement",
        method="PUT",
        handler=put_placement,
        scope="rules:edit",
        about="Store a new version, live at once. All problems are named, and then nothing is "
        "changed.",
        parameters=(NAME, NOTE, IF_MATCH),
        body=Placement,
        body_example={
            "slots": 6,
            "strategies": [
                {"retriever": "also_bought", "weight": 1.0},
                {"retriever": "similar", "weight": 0.5},
            ],
            "filters": [{"filter": "available"}],
            "fallback": [{"retriever": "popular", "window": "30d"}],
        },
        answer=PlacementView,
        errors=(
            MalformedBody,
            InvalidInput,
            BodyTooLarge,
            VersionConflict,
            NeedsAnotherPerson,
            StoreUnavailable,
        ),
    ),
    _operation(
        id="delete_placement",
        method="DELETE",
        handler=delete_placement,
        scope="rules:edit",
        about="Take a placement out of use. Its versions are kept.",
        parameters=(NAME,),
        status=204,
        errors=(InvalidInput, UnknownPlacement, StoreUnavailable),
    ),
    _operation(
        id="preview_placement",
        method="POST",
        path="/v1/placements/{name}/preview",
        handler=preview_placement,
        scope="rules:edit",
        about="The slate as it is, and with a draft of the placement and of rules, for a real or "
        "made-up visitor, seed, zone and time. Nothing is logged.",
        parameters=(NAME,),
        body=PreviewRequest,
        body_example={
            "made_up": {"orders": 4},
            "seed": ["85123A"],
            "as_of": "2026-12-24T09:00:00Z",
        },
        answer=Preview,
        errors=(MalformedBody, InvalidInput, UnknownPlacement, BodyTooLarge),
    ),
)
