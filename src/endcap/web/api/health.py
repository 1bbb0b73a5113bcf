"""Health: alive, and ready to work."""

from typing import Any

from starlette.responses import Response

from endcap.web.call import Call, answer
from endcap.web.operations import Operation

ALIVE = b'{"alive":true}'


async def livez(_: Call) -> Response:
    """The process answers; touches nothing."""
    return Response(ALIVE, media_type="application/json")


async def readyz(call: Call) -> Response:
    """The server can do its work."""
    checks = await call.services.ready()
    return answer(checks, 200 if checks["ready"] else 503)


OPERATIONS = (
    Operation(
        id="livez",
        method="GET",
        path="/livez",
        handler=livez,
        scope="open",
        tag="Health",
        about="The process answers. Touches nothing.",
        answer=dict[str, bool],
    ),
    Operation(
        id="readyz",
        method="GET",
        path="/readyz",
        handler=readyz,
        scope="open",
        tag="Health",
        about="200 when the server can do its work, else 503 with what is missing.",
        answer=dict[str, Any],
    ),
)
