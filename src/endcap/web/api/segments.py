"""Segments: named conditions over visitors; and what is known of one visitor."""

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
from endcap.core.segment import Segment, SegmentView, VisitorTags, VisitorView
from endcap.services.versions import Edit
from endcap.web.call import Call, answer, expected_version, number
from endcap.web.operations import Parameter, maker

NAME = Parameter("name", "Name of the segment.", place="path")
VISITOR = Parameter("id", "Id of the visitor, as the shop sends it.", place="path")
IF_MATCH = Parameter("If-Match", "Change only this version.", place="header")
NOTE = Parameter("note", "Why it is changed; kept with the version.")
VERSION = Parameter("version", "An older version.", {"type": "integer", "minimum": 1})
PREFIX = "/v1/segments/"
VISITORS = "/v1/visitors/"


class Segments(msgspec.Struct, frozen=True):
    """Segments, or versions of one."""

    data: list[SegmentView]


async def list_segments(call: Call) -> Response:
    """The live version of every segment."""
    return answer(Segments(await call.services.segments.all(call.shop)))


async def get_segment(call: Call) -> Response:
    """One segment."""
    version = number(call.query(), "version", None)
    return _tagged(await call.services.segments.get(call.shop, call.tail(PREFIX), version))


async def get_versions(call: Call) -> Response:
    """Every version of a segment."""
    name = call.tail(PREFIX).removesuffix("/versions")
    return answer(Segments(await call.services.segments.history(call.shop, name)))


async def put_segment(call: Call) -> Response:
    """Store a new version; it is live at once."""
    edit = edit_of(call)
    segment = await call.decoded(Segment, call.services.max_body)
    name = call.tail(PREFIX)
    return _tagged(await call.services.segments.put(call.shop, name, segment, edit))


async def delete_segment(call: Call) -> Response:
    """Take a segment out of use."""
    await call.services.segments.delete(call.shop, call.tail(PREFIX), edit_of(call))
    return Response(status_code=204)


async def get_visitor(call: Call) -> Response:
    """Traits and segments of a visitor."""
    response = answer(await call.services.segments.view(call.shop, call.tail(VISITORS)))
    response.headers["cache-control"] = "private, no-store"
    return response


async def put_tags(call: Call) -> Response:
    """Tags of a visitor."""
    tags = await call.decoded(VisitorTags, call.services.max_body)
    visitor = call.tail(VISITORS).removesuffix("/tags")
    await call.services.segments.set_tags(call.shop, visitor, tags, Edit(call.caller.audited_as))
    return answer(await call.services.segments.view(call.shop, visitor))


def edit_of(call: Call) -> Edit:
    """Who changes what, why, and which version they know."""
    note = call.query().get("note", [""])[-1] if "note" in call.allowed else ""
    return Edit(call.caller.audited_as, note, expected_version(call))


def _tagged(view: SegmentView) -> Response:
    response = answer(view)
    response.headers["etag"] = f'"{view.version}"'
    return response


_operation = maker(path="/v1/segments/{name}", tag="Segments")


OPERATIONS = (
    _operation(
        id="list_segments",
        method="GET",
        path="/v1/segments",
        handler=list_segments,
        scope="reports:read",
        about="The live version of every segment. A new shop has `new`, `loyal`, `lapsed` and "
        "`big_spender`.",
        answer=Segments,
    ),
    _operation(
        id="get_segment",
        method="GET",
        handler=get_segment,
        scope="reports:read",
        about="One segment, live or an older version, with its condition in words.",
        parameters=(NAME, VERSION),
        answer=SegmentView,
        errors=(InvalidInput, NotFound),
    ),
    _operation(
        id="get_segment_versions",
        method="GET",
        path="/v1/segments/{name}/versions",
        handler=get_versions,
        scope="reports:read",
        about="Every version, newest first.",
        parameters=(NAME,),
        answer=Segments,
        errors=(InvalidInput, NotFound),
    ),
    _operation(
        id="put_segment",
        method="PUT",
        handler=put_segment,
        scope="rules:edit",
        about="Store a new version, live at once. The condition is an expression over `visitor`.",
        parameters=(NAME, NOTE, IF_MATCH),
        body=Segment,
        body_example={
            "title": "Kitchen fans",
            "when": "visitor.favourite_category.startsWith('Home > Kitchen')",
        },
        answer=SegmentView,
        errors=(MalformedBody, InvalidInput, VersionConflict, BodyTooLarge, StoreUnavailable),
    ),
    _operation(
        id="delete_segment",
        method="DELETE",
        handler=delete_segment,
        scope="rules:edit",
        about="Take a segment out of use. Its versions stay readable.",
        parameters=(NAME,),
        status=204,
        errors=(InvalidInput, NotFound, StoreUnavailable),
    ),
    _operation(
        id="get_visitor",
        method="GET",
        path="/v1/visitors/{id:path}",
        handler=get_visitor,
        scope="reports:read",
        tag="Visitors",
        personal=True,
        about="What is known of a visitor: traits, worked out live from events, and segments.",
        parameters=(VISITOR,),
        answer=VisitorView,
        errors=(InvalidInput,),
    ),
    _operation(
        id="put_visitor_tags",
        method="PUT",
        path="/v1/visitors/{id:path}/tags",
        handler=put_tags,
        scope="events:write",
        tag="Visitors",
        personal=True,
        about="Give a visitor tags, in place of those given before; segments and rules read them.",
        parameters=(VISITOR,),
        body=VisitorTags,
        body_example={"tags": ["vip", "trade"]},
        answer=VisitorView,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, StoreUnavailable),
    ),
)
