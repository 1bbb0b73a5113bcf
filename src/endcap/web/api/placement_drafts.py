"""Drafts of placements: written by one, looked at, and published by the same or another person."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
)
from endcap.core.placement import Placement
from endcap.core.status import PlacementView
from endcap.services.four_eyes import NeedsAnotherPerson
from endcap.web.call import Call, answer, expected_version
from endcap.web.operations import Operation

from .placements import IF_MATCH, NAME, NOTE, PREFIX

DRAFT = "/draft"
PUBLISH = "/draft/publish"


async def get_draft(call: Call) -> Response:
    """The draft."""
    return answer(await _draft(call, call.tail(PREFIX).removesuffix(DRAFT)))


async def put_draft(call: Call) -> Response:
    """Keep a draft."""
    name = call.tail(PREFIX).removesuffix(DRAFT)
    body = await call.body(call.services.max_body)
    await call.services.drafts.put(call.shop, name, body, call.caller.audited_as)
    return answer(await _draft(call, name))


async def delete_draft(call: Call) -> Response:
    """Drop the draft."""
    name = call.tail(PREFIX).removesuffix(DRAFT)
    await _draft(call, name)
    await call.services.drafts.discard(call.shop, name, call.caller.audited_as)
    return Response(status_code=204)


async def publish_draft(call: Call) -> Response:
    """Make the draft live."""
    name = call.tail(PREFIX).removesuffix(PUBLISH)
    draft = await _draft(call, name)
    note = call.query().get("note", [""])[-1][:2_000]
    body, by = msgspec.json.encode(draft.placement), call.caller.audited_as
    live = await call.services.placements.put(
        call.shop, name, body, expected_version(call), by, note
    )
    await call.services.drafts.discard(call.shop, name, by)
    return answer(live)


async def _draft(call: Call, name: str) -> PlacementView:
    draft = await call.services.drafts.get(call.shop, name)
    if draft is None or draft.placement is None:
        raise NotFound(f"the placement `{name[:200]}` has no draft")
    return draft


def _operation(**fields: Any) -> Operation:
    parameters = (NAME, *fields.pop("parameters", ()))
    return Operation(**{"tag": "Placements", "parameters": parameters, **fields})


OPERATIONS = (
    _operation(
        id="get_placement_draft",
        method="GET",
        path="/v1/placements/{name}/draft",
        handler=get_draft,
        scope="rules:edit",
        about="The draft of a placement, with its author.",
        answer=PlacementView,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="put_placement_draft",
        method="PUT",
        path="/v1/placements/{name}/draft",
        handler=put_draft,
        scope="rules:edit",
        about="Keep a draft of a placement; nothing of it is live.",
        body=Placement,
        body_example={"slots": 4, "fallback": [{"retriever": "popular"}]},
        answer=PlacementView,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, StoreUnavailable),
    ),
    _operation(
        id="delete_placement_draft",
        method="DELETE",
        path="/v1/placements/{name}/draft",
        handler=delete_draft,
        scope="rules:edit",
        about="Drop the draft; what is live stays.",
        status=204,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="publish_placement_draft",
        method="POST",
        path="/v1/placements/{name}/draft/publish",
        handler=publish_draft,
        scope="rules:publish",
        about="Make the draft live, as a new version. With four eyes its author cannot.",
        parameters=(IF_MATCH, NOTE),
        answer=PlacementView,
        errors=(NotFound, InvalidInput, VersionConflict, NeedsAnotherPerson, StoreUnavailable),
    ),
)
