"""Visitors: the merge at login, and the profile that a shopper can read and correct."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    StoreUnavailable,
    VisitorErased,
)
from endcap.core.merchant import Profile
from endcap.web.call import Call, answer
from endcap.web.operations import Operation, Parameter

PREFIX = "/v1/visitors/"
SUFFIX = "/profile"
PATH = "/v1/visitors/{id:path}/profile"
ID = Parameter("id", "Visitor id, percent-encoded.", place="path")


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login: what the visitor `from` did becomes that of the visitor `to`."""

    from_: str = msgspec.field(name="from")
    to: str


class Merged(msgspec.Struct, frozen=True):
    """Whether the merge is on disk and in the next answer; false: one of them denies analytics."""

    merged: bool


class ProfileChange(msgspec.Struct, frozen=True):
    """Facets not to go by, and weights set by hand (null takes one back)."""

    muted: list[str] = []
    weights: dict[str, float | None] = {}


async def post_merge(call: Call) -> Response:
    """Merge a browser into a customer."""
    given = await call.decoded(Merge, call.services.max_body)
    return answer(Merged(await call.services.visitors.merge(call.shop, given.from_, given.to)))


async def get_profile(call: Call) -> Response:
    """A visitor's affinities."""
    call.query()
    return answer(await call.services.visitors.profile(call.shop, _visitor(call)))


async def patch_profile(call: Call) -> Response:
    """Correct or mute facets."""
    call.query()
    change = await call.decoded(dict[str, Any], call.services.max_body)
    return answer(await call.services.visitors.correct(call.shop, _visitor(call), change))


def _visitor(call: Call) -> str:
    return call.tail(PREFIX).removesuffix(SUFFIX)


OPERATIONS = (
    Operation(
        id="merge_visitors",
        method="POST",
        path="/v1/visitors:merge",
        handler=post_merge,
        scope="visitors:write",
        tag="Visitors",
        about="Tell of a login: what the browser `from` did since the login before is the customer "
        "`to`'s, in the very next answer. Not the other way round: the browser learns nothing of "
        "the customer.",
        body=Merge,
        body_example={"from": "anonymous-8f2", "to": "customer-42"},
        answer=Merged,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, VisitorErased, StoreUnavailable),
    ),
    Operation(
        id="get_profile",
        method="GET",
        path=PATH,
        personal=True,
        handler=get_profile,
        scope="visitors:write",
        tag="Visitors",
        about="What a visitor seems to like, facet by facet, as the strategy `for_you` reads it.",
        parameters=(ID,),
        answer=Profile,
        errors=(InvalidInput, VisitorErased),
    ),
    Operation(
        id="patch_profile",
        method="PATCH",
        path=PATH,
        personal=True,
        handler=patch_profile,
        scope="visitors:write",
        tag="Visitors",
        about="Correct the profile: `muted` facets are not gone by, `weights` (-1 to 1) stand in "
        "place of what was counted; null takes a weight back. It is in the next answer.",
        parameters=(ID,),
        body=ProfileChange,
        body_example={"muted": ["category:Toys"], "weights": {"brand:Acme": 1.0}},
        answer=Profile,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, VisitorErased, StoreUnavailable),
    ),
)
