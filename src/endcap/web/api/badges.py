"""When products are flagged as low in stock, new, cheaper and so on."""

from starlette.responses import Response

from endcap.core.errors import BodyTooLarge, InvalidInput, MalformedBody, StoreUnavailable
from endcap.core.merchant import BadgeSettings
from endcap.services.decisions import decision
from endcap.web.call import Call, answer
from endcap.web.operations import Operation

# There is one set of badge settings in a shop; it is kept as versions like any decision.
NAME = "settings"


async def get_badges(call: Call) -> Response:
    """The settings in use."""
    call.query()
    return answer(call.services.decisions.badges(call.shop))


async def put_badges(call: Call) -> Response:
    """Store new settings."""
    call.query()
    body = await call.body(call.services.max_body)
    await call.services.decisions.put(call.shop, decision("badges", NAME, body))
    return answer(call.services.decisions.badges(call.shop))


OPERATIONS = (
    Operation(
        id="get_badges",
        method="GET",
        path="/v1/badges",
        handler=get_badges,
        scope="recommendations:read",
        tag="Badges",
        about="When products are flagged.",
        answer=BadgeSettings,
    ),
    Operation(
        id="put_badges",
        method="PUT",
        path="/v1/badges",
        handler=put_badges,
        scope="rules:edit",
        tag="Badges",
        about="Change when products are flagged; a field left out takes its default.",
        body=BadgeSettings,
        body_example={"low_stock": 3, "low_stock_by_category": {"Home > Furniture": 1}},
        answer=BadgeSettings,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, StoreUnavailable),
    ),
)
