"""Webhooks: who is told of what happens here, and what became of each delivery."""

from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    FieldProblem,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
)
from endcap.core.webhook import (
    NOTICES,
    Delivery,
    DeliveryPage,
    EndpointChange,
    EndpointRequest,
    EndpointView,
)
from endcap.web.call import Call, answer, number
from endcap.web.operations import Parameter, maker

PREFIX = "/v1/webhooks/"
LIMIT = 65_536
MAX_PAGE = 500
STATES = ("waiting", "delivered", "dead")
ID = Parameter("id", "The webhook's id.", place="path")
CHANGED = (MalformedBody, InvalidInput, BodyTooLarge, StoreUnavailable)
EXAMPLE = {"url": "https://hooks.example.com/endcap", "events": ["erasure.verified"]}


async def list_webhooks(call: Call) -> Response:
    """Every webhook."""
    return answer(await call.services.webhooks.views(call.shop))


async def post_webhook(call: Call) -> Response:
    """Make a webhook."""
    request = await call.decoded(EndpointRequest, LIMIT)
    made = await call.services.webhooks.make(call.shop, request, call.caller.audited_as)
    return answer(made, 201, secret=True)


async def get_webhook(call: Call) -> Response:
    """One webhook."""
    return answer(await call.services.webhooks.view(call.shop, _id(call)))


async def patch_webhook(call: Call) -> Response:
    """Change a webhook."""
    request = await call.decoded(EndpointChange, LIMIT)
    author = call.caller.audited_as
    return answer(await call.services.webhooks.change(call.shop, _id(call), request, author))


async def delete_webhook(call: Call) -> Response:
    """Take a webhook out."""
    await call.services.webhooks.remove(call.shop, _id(call))
    return Response(status_code=204)


async def post_webhook_secret(call: Call) -> Response:
    """Another secret."""
    author = call.caller.audited_as
    made = await call.services.webhooks.renew(call.shop, _id(call), author)
    return answer(made, 201, secret=True)


async def test_webhook(call: Call) -> Response:
    """Send a notice to see that it arrives."""
    return answer({"id": await call.services.webhooks.test(call.shop, _id(call))}, 202)


async def list_deliveries(call: Call) -> Response:
    """What was sent, what waits, what was given up."""
    query = call.query()
    await call.services.webhooks.get(call.shop, _id(call))
    state = query.get("state", [""])[-1]
    limit = number(query, "limit", 100) or 0
    problems = []
    if state and state not in STATES:
        message = f"must be one of {', '.join(STATES)}"
        problems.append(FieldProblem("/query/state", "not_allowed", message))
    if not 1 <= limit <= MAX_PAGE:
        problems.append(FieldProblem("/query/limit", "out_of_range", f"must be 1 to {MAX_PAGE}"))
    cursor = query.get("cursor", [""])[-1]
    if cursor and not cursor.startswith(f"{_id(call)}~"):
        problems.append(FieldProblem("/query/cursor", "invalid", "is not a cursor of this list"))
    if problems:
        raise InvalidInput("the page cannot be made", problems)
    outbox = call.services.webhooks.outbox
    return answer(await outbox.page(call.shop, _id(call), state, cursor, limit))  # type: ignore[arg-type]


async def replay_delivery(call: Call) -> Response:
    """Send a delivery again."""
    name = call.request.path_params["delivery"]
    await call.services.webhooks.get(call.shop, _id(call))
    return answer(await call.services.webhooks.outbox.replay(call.shop, _id(call), name), 202)


def _id(call: Call) -> str:
    name: str = call.request.path_params["id"]
    return name


_operation = maker(scope="accounts:admin", tag="Webhooks")

OPERATIONS = (
    _operation(
        id="list_webhooks",
        method="GET",
        path="/v1/webhooks",
        handler=list_webhooks,
        about="Every webhook of the shop; secrets are never shown again.",
        answer=list[EndpointView],
        errors=(StoreUnavailable,),
    ),
    _operation(
        id="post_webhook",
        method="POST",
        path="/v1/webhooks",
        handler=post_webhook,
        about="Be told of what happens, by POST to your address; `secret` is in this answer only. "
        "Messages are signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, "
        "`webhook-signature`). Notices: "
        + " ".join(f"`{name}`: {text}" for name, text in NOTICES.items())
        + " `*` stands for all.",
        body=EndpointRequest,
        body_example=EXAMPLE,
        answer=EndpointView,
        status=201,
        errors=CHANGED,
    ),
    _operation(
        id="get_webhook",
        method="GET",
        path="/v1/webhooks/{id}",
        handler=get_webhook,
        about="One webhook, with how many deliveries wait.",
        parameters=(ID,),
        answer=EndpointView,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="patch_webhook",
        method="PATCH",
        path="/v1/webhooks/{id}",
        handler=patch_webhook,
        about="Change address, notices or title; switch it off or on again.",
        parameters=(ID,),
        body=EndpointChange,
        answer=EndpointView,
        errors=(*CHANGED, NotFound),
    ),
    _operation(
        id="delete_webhook",
        method="DELETE",
        path="/v1/webhooks/{id}",
        handler=delete_webhook,
        about="Take a webhook out, with what waits for it and its log.",
        parameters=(ID,),
        status=204,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="post_webhook_secret",
        method="POST",
        path="/v1/webhooks/{id}/secrets",
        handler=post_webhook_secret,
        about="A new secret; for a day messages carry the signatures of both.",
        parameters=(ID,),
        answer=EndpointView,
        status=201,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="test_webhook",
        method="POST",
        path="/v1/webhooks/{id}/test",
        handler=test_webhook,
        about="Send `webhook.test`; the deliveries show what became of it.",
        parameters=(ID,),
        answer=dict[str, str],
        status=202,
        errors=(NotFound, InvalidInput, StoreUnavailable),
    ),
    _operation(
        id="list_deliveries",
        method="GET",
        path="/v1/webhooks/{id}/deliveries",
        handler=list_deliveries,
        about="What was sent in the last 30 days, with every try: what waits first, then the "
        "newest. A delivery is `dead` after its last try.",
        parameters=(
            ID,
            Parameter("state", "Only these.", {"type": "string", "enum": list(STATES)}),
            Parameter(
                "limit",
                "How many a page has.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 100},
            ),
            Parameter("cursor", "Where the page before ended."),
        ),
        answer=DeliveryPage,
        errors=(NotFound, InvalidInput, StoreUnavailable),
    ),
    _operation(
        id="replay_delivery",
        method="POST",
        path="/v1/webhooks/{id}/deliveries/{delivery}/replay",
        handler=replay_delivery,
        about="Send again what was delivered or is dead, under the same `webhook-id`.",
        parameters=(ID, Parameter("delivery", "The delivery's id.", place="path")),
        answer=Delivery,
        status=202,
        errors=(NotFound, StoreUnavailable),
    ),
)
