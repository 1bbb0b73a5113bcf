"""POST /v1/events."""

from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    Overloaded,
    StoreUnavailable,
)
from endcap.core.event import MAX_BATCH, EventIn
from endcap.core.receipt import Receipt
from endcap.ingest.decode import visitors_in
from endcap.ingest.traffic import traffic_of
from endcap.web.auth.browsers import check_events
from endcap.web.call import Call, answer
from endcap.web.consent import CONSENT, has_signal, honour, said
from endcap.web.operations import Operation

BATCH = {
    "oneOf": [
        {
            "type": "object",
            "required": ["events"],
            "properties": {
                "events": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_BATCH,
                    "items": {"$ref": "#/components/schemas/EventIn"},
                },
                "sent_at": {
                    "type": "string",
                    "format": "date-time",
                    "description": "The sender's clock; sets times right when it is off.",
                },
            },
        },
        {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_BATCH,
            "items": {"$ref": "#/components/schemas/EventIn"},
        },
        {"$ref": "#/components/schemas/EventIn"},
    ]
}
EXAMPLE = {
    "events": [
        {"event_id": "e-1", "type": "view", "visitor": "v-42", "product": "85123A"},
        {
            "event_id": "e-2",
            "type": "purchase",
            "visitor": "v-42",
            "order": "o-7",
            "currency": "GBP",
            "products": [{"id": "85123A", "quantity": 2, "price": "2.95"}],
        },
    ]
}


async def post_events(call: Call) -> Response:
    """Take events; each gets its own verdict."""
    body = await call.body(call.services.max_body)
    traffic = traffic_of(call.request.headers.get("user-agent", ""))
    # Browsers have a source of their own, so that nobody can use up a server's event ids.
    source = "browser" if call.caller.kind == "browser" else "api"
    check = check_events(call)
    receipt = await call.services.collector.collect(
        call.shop, source, body, traffic, check, said(call)
    )
    if has_signal(call):
        await honour(call, visitors_in(body))
    return answer(receipt, 202)


OPERATIONS = (
    Operation(
        id="post_events",
        method="POST",
        path="/v1/events",
        handler=post_events,
        scope="events:write",
        browser=True,
        tag="Events",
        about="Send one event or up to 2,500. What is `accepted` is on disk; sending an event with "
        "the same event_id again is a `duplicate` and counts once; what is `rejected` is kept with "
        "the reason. accepted + duplicates + rejected is what was sent.",
        parameters=(CONSENT,),
        body={"application/json": BATCH, "text/plain": {"type": "string"}},
        body_example=EXAMPLE,
        answer=Receipt,
        status=202,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, StoreUnavailable, Overloaded),
    ),
)
TYPES = (EventIn,)
