"""What is kept of a visitor: export, erase, anonymise, consent."""

from typing import Any

from starlette.responses import Response, StreamingResponse

from endcap.core.consent import Consent, ConsentView
from endcap.core.erasure import Erasure
from endcap.core.errors import (
    BodyTooLarge,
    FieldProblem,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
    VisitorErased,
)
from endcap.web.call import JSON, Call, answer
from endcap.web.operations import Parameter, maker

PREFIX = "/v1/visitors/"
PATH = "/v1/visitors/{id:path}"
VISITOR = Parameter("id", "Visitor id as the shop knows it.", place="path")
NO_STORE = {"cache-control": "private, no-store"}
LIMIT = 4_096


def _visitor(call: Call, suffix: str = "") -> str:
    return call.tail(PREFIX).removesuffix(suffix)


async def export_visitor(call: Call) -> Response:
    """Everything that is kept of a visitor."""
    form = call.query().get("format", ["json"])[-1]
    visitor, desk = _visitor(call, "/export"), call.services.privacy
    if form == "json":
        content = await desk.export_json(call.shop, visitor)
        return StreamingResponse(content, headers=NO_STORE, media_type=JSON)
    if form == "csv":
        content = await desk.export_csv(call.shop, visitor)
        return StreamingResponse(content, headers=NO_STORE, media_type="text/csv")
    problem = FieldProblem("/query/format", "not_allowed", "must be json or csv")
    raise InvalidInput("the export cannot be made", [problem])


async def delete_visitor(call: Call) -> Response:
    """Erase a visitor."""
    erasure = await call.services.privacy.erase(call.shop, _visitor(call), "erase")
    return answer(erasure, 202)


async def anonymise_visitor(call: Call) -> Response:
    """Keep what was done, forget who did it."""
    visitor = _visitor(call, "/anonymise")
    erasure = await call.services.privacy.erase(call.shop, visitor, "anonymise")
    return answer(erasure, 202)


async def get_consent(call: Call) -> Response:
    """What a visitor chose."""
    view = await call.services.privacy.consent(call.shop, _visitor(call, "/consent"))
    return answer(view)


async def put_consent(call: Call) -> Response:
    """Keep what a visitor chose."""
    choice = await call.decoded(Consent, LIMIT)
    visitor, by = _visitor(call, "/consent"), call.caller.audited_as
    return answer(await call.services.privacy.choose(call.shop, visitor, choice, by))


async def get_erasure(call: Call) -> Response:
    """How far an erasure is."""
    name = call.tail("/v1/erasures/")
    return answer(await call.services.privacy.erasures.get(call.shop, name))


async def list_erasures(call: Call) -> Response:
    """Every erasure, open or done."""
    return answer(await call.services.privacy.erasures.all(call.shop))


_operation = maker(scope="privacy:erase", tag="Privacy")


ERRORS = (InvalidInput, StoreUnavailable)
OPERATIONS = (
    _operation(
        id="export_visitor",
        method="GET",
        path=PATH + "/export",
        handler=export_visitor,
        personal=True,
        about="All that is kept of a visitor: events with what was served and why, refused "
        "events, consent with its history, how long it is kept and who gets it. Streamed.",
        parameters=(
            VISITOR,
            Parameter(
                "format",
                "`csv` has the events, one row per product.",
                {"type": "string", "enum": ["json", "csv"], "default": "json"},
            ),
        ),
        answer=dict[str, Any],
        errors=ERRORS,
    ),
    _operation(
        id="delete_visitor",
        method="DELETE",
        path=PATH,
        handler=delete_visitor,
        personal=True,
        about="Erase a visitor. When this answers, nothing of it is read or taken in any more; "
        "log, archive, snapshots, caches and refused events follow in the background. `state` goes "
        "accepted, suppressed, purged, verified; `receipt` then proves it.",
        parameters=(VISITOR,),
        answer=Erasure,
        status=202,
        errors=ERRORS,
    ),
    _operation(
        id="anonymise_visitor",
        method="POST",
        path=PATH + "/anonymise",
        handler=anonymise_visitor,
        personal=True,
        about="As erasing, but events go on counting under nobody: type, products, prices, day "
        "and place in the shop are kept.",
        parameters=(VISITOR,),
        answer=Erasure,
        status=202,
        errors=ERRORS,
    ),
    _operation(
        id="get_consent",
        method="GET",
        path=PATH + "/consent",
        handler=get_consent,
        personal=True,
        about="What the visitor chose.",
        parameters=(VISITOR,),
        answer=ConsentView,
        errors=ERRORS,
    ),
    _operation(
        id="put_consent",
        method="PUT",
        path=PATH + "/consent",
        handler=put_consent,
        personal=True,
        about="Keep what the visitor chose; what is left out stays as it was. It counts from the "
        "next request on.",
        parameters=(VISITOR,),
        body=Consent,
        body_example={"analytics": "granted", "personalisation": "denied"},
        answer=ConsentView,
        errors=(MalformedBody, BodyTooLarge, VersionConflict, VisitorErased, *ERRORS),
    ),
    _operation(
        id="list_erasures",
        method="GET",
        path="/v1/erasures",
        handler=list_erasures,
        about="Every erasure, open or done. None of them names anybody.",
        answer=list[Erasure],
        errors=(StoreUnavailable,),
    ),
    _operation(
        id="get_erasure",
        method="GET",
        path="/v1/erasures/{id}",
        handler=get_erasure,
        about="How far an erasure is.",
        parameters=(Parameter("id", "Its id.", place="path"),),
        answer=Erasure,
        errors=(NotFound, StoreUnavailable),
    ),
)
