"""Shadows: a placement's draft worked out on live requests, without being shown."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    UnknownPlacement,
)
from endcap.services.shadow import ShadowView
from endcap.web.call import Call, answer
from endcap.web.operations import Operation, Parameter

PREFIX = "/v1/placements/"
SUFFIX = "/shadow"
NAME = Parameter("name", "Name of the placement.", place="path")


class ShadowStart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The part of the requests to try the draft on, more than 0 and at most 1."""

    sample: float = 0.1


def _name(call: Call) -> str:
    return call.tail(PREFIX).removesuffix(SUFFIX)


async def get_shadow(call: Call) -> Response:
    """What a placement's draft would have shown."""
    return answer(await call.services.shadows.get(call.shop, _name(call)))


async def put_shadow(call: Call) -> Response:
    """Try a placement's draft."""
    asked = await call.decoded(ShadowStart, call.services.max_body)
    by = call.caller.audited_as
    return answer(await call.services.shadows.start(call.shop, _name(call), asked.sample, by))


async def delete_shadow(call: Call) -> Response:
    """Try it no more."""
    await call.services.shadows.stop(call.shop, _name(call), call.caller.audited_as)
    return Response(status_code=204)


def _operation(**fields: Any) -> Operation:
    return Operation(
        tag="Placements", path="/v1/placements/{name}/shadow", parameters=(NAME,), **fields
    )


OPERATIONS = (
    _operation(
        id="get_shadow",
        method="GET",
        handler=get_shadow,
        scope="reports:read",
        about="What the draft in the shadow of a placement would have shown: how much of it was "
        "shown anyway, and in how many slates a product was that the visitor went on to click, "
        "cart or buy within a day.",
        answer=ShadowView,
        errors=(InvalidInput, UnknownPlacement),
    ),
    _operation(
        id="put_shadow",
        method="PUT",
        handler=put_shadow,
        scope="rules:edit",
        about="Work out the placement's draft, as it is now, on a part of the live requests after "
        "they are answered. Nobody is shown it. When too many wait, some are dropped and counted.",
        body=ShadowStart,
        body_example={"sample": 0.1},
        answer=ShadowView,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, NotFound, StoreUnavailable),
    ),
    _operation(
        id="delete_shadow",
        method="DELETE",
        handler=delete_shadow,
        scope="rules:edit",
        about="Stop working out the draft.",
        status=204,
        errors=(InvalidInput, NotFound, StoreUnavailable),
    ),
)
