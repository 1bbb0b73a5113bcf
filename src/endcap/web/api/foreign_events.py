"""Events in other systems' forms: GA4, Segment, Google Retail, Shopify webhooks."""

from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    Overloaded,
    StoreUnavailable,
    Unauthenticated,
)
from endcap.core.receipt import Receipt
from endcap.ingest.decode import Element
from endcap.ingest.foreign.events import elements_of
from endcap.ingest.foreign.fields import Mapper
from endcap.ingest.foreign.ga4 import from_measurement
from endcap.ingest.foreign.retail import from_user_event
from endcap.ingest.foreign.segment import from_batch, from_track
from endcap.ingest.foreign.shopify import from_webhook, signed
from endcap.ingest.traffic import traffic_of
from endcap.web.auth.browsers import check_events
from endcap.web.call import Call, answer, decode
from endcap.web.operations import OPEN, Operation, Parameter

ERRORS = (MalformedBody, InvalidInput, BodyTooLarge, StoreUnavailable, Overloaded)
OBJECT = {"application/json": {"type": "object"}, "text/plain": {"type": "string"}}


async def post_ga4(call: Call) -> Response:
    """A Measurement Protocol body."""
    return await _take(call, "ga4", from_measurement)


async def post_segment(call: Call) -> Response:
    """A Segment batch or track call."""
    return await _take(
        call, "segment", lambda body: from_batch(body) if "batch" in body else from_track(body)
    )


async def post_retail(call: Call) -> Response:
    """A user event of Google's Retail API."""
    return await _take(call, "retail", from_user_event)


async def post_shopify(call: Call) -> Response:
    """A webhook of Shopify, signed with the app's secret."""
    body = await call.body(call.services.max_body)
    headers = call.request.headers
    secret = call.services.shopify_secret
    signature = headers.get("x-shopify-hmac-sha256", "")
    if not secret or not signed(body, signature, secret):
        raise Unauthenticated(
            "the signature is not that of the setting `shopify_secret`"
            if secret
            else "set `shopify_secret` to the app's secret to take webhooks"
        )
    topic = headers.get("x-shopify-topic", "")
    elements = elements_of(decode(body, object), lambda sent: from_webhook(topic, sent), body)
    return answer(await call.services.collector.collect_elements(call.shop, "shopify", elements))


async def _take(call: Call, source: str, mapper: Mapper) -> Response:
    body = await call.body(call.services.max_body)
    sent = decode(body, object)
    elements: list[Element] = elements_of(sent, mapper, body)
    if check := check_events(call):
        await check(elements)
    # What a browser sends is kept apart, so that nobody can use up a server's event ids.
    source = f"{source}:browser" if call.caller.kind == "browser" else source
    traffic = traffic_of(call.request.headers.get("user-agent", ""))
    sent_at = sent.get("sentAt") if isinstance(sent, dict) else None
    receipt = await call.services.collector.collect_elements(
        call.shop, source, elements, sent_at if isinstance(sent_at, str) else None, traffic
    )
    return answer(receipt, 200 if source.startswith("segment") else 202)


def _one(path: str, about: str, **fields: object) -> Operation:
    given = {
        "method": "POST",
        "path": path,
        "scope": "events:write",
        "browser": True,
        "tag": "Events",
        "about": about,
        "body": OBJECT,
        "answer": Receipt,
        "status": 202,
        "errors": ERRORS,
        **fields,
    }
    return Operation(**given)  # type: ignore[arg-type]


SEGMENT_EXAMPLE = {
    "batch": [
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": "m-1",
            "anonymousId": "v-42",
            "properties": {"product_id": "85123A"},
        }
    ]
}
SEGMENT = "Segment e-commerce v2 calls: one `track` call or a batch. The write key may be given as "
SEGMENT += "the user of Basic authentication. Calls that are no e-commerce event are left out."
OPERATIONS = (
    _one(
        "/v1/events/ga4",
        "A GA4 Measurement Protocol body, so that server-side tagging can send here too. Events "
        "that a shop's recommendations do not need are left out.",
        id="post_ga4_events",
        handler=post_ga4,
        parameters=(
            Parameter("measurement_id", "Taken and not used."),
            Parameter("api_secret", "Taken and not used."),
        ),
        body_example={
            "client_id": "v-42",
            "events": [{"name": "view_item", "params": {"items": [{"item_id": "85123A"}]}}],
        },
    ),
    _one(
        "/v1/events/segment",
        SEGMENT,
        id="post_segment_events",
        handler=post_segment,
        status=200,
        body_example=SEGMENT_EXAMPLE,
    ),
    _one(
        "/v1/batch",
        SEGMENT,
        id="post_segment_batch",
        handler=post_segment,
        status=200,
        body_example=SEGMENT_EXAMPLE,
    ),
    _one(
        "/v1/events/retail",
        "A user event in the form of Google's Retail API.",
        id="post_retail_event",
        handler=post_retail,
        body_example={
            "eventType": "detail-page-view",
            "visitorId": "v-42",
            "productDetails": [{"product": {"id": "85123A"}}],
        },
    ),
    _one(
        "/v1/webhooks/shopify",
        "Shopify's webhooks orders/create, orders/paid and refunds/create; other topics are "
        "answered and left out. Needs the setting `shopify_secret`, which checks the signature.",
        id="post_shopify_webhook",
        handler=post_shopify,
        scope=OPEN,
        browser=False,
        status=200,
        errors=(*ERRORS, Unauthenticated),
        parameters=(
            Parameter("X-Shopify-Topic", "What happened.", place="header"),
            Parameter("X-Shopify-Hmac-Sha256", "Signature of the body.", place="header"),
        ),
    ),
)
