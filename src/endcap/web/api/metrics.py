"""Metrics for Prometheus."""

from starlette.responses import Response

from endcap.telemetry.metrics import CONTENT_TYPE
from endcap.web.call import Call
from endcap.web.operations import Operation


async def get_metrics(call: Call) -> Response:
    """Every metric of this process."""
    return Response(call.services.metrics.text(), headers={"content-type": CONTENT_TYPE})


OPERATIONS = (
    Operation(
        id="get_metrics",
        method="GET",
        path="/metrics",
        handler=get_metrics,
        scope="reports:read",
        tag="Operations",
        about="Counts and times of this process in Prometheus' text format.",
    ),
)
