"""Builds: start one, see how it goes."""

from starlette.responses import Response

from endcap.core.status import BuildStatus
from endcap.web.call import Call, answer
from endcap.web.operations import Operation


async def post_build(call: Call) -> Response:
    """Start a build unless one is running."""
    return answer(await call.services.builds.start(call.shop), 202)


async def get_build(call: Call) -> Response:
    """How the newest build goes."""
    return answer(call.services.builds.status(call.shop))


OPERATIONS = (
    Operation(
        id="post_build",
        method="POST",
        path="/v1/builds",
        handler=post_build,
        scope="builds:run",
        tag="Builds",
        about="Count the log into a new snapshot, in the background; answers go on meanwhile.",
        answer=BuildStatus,
        status=202,
    ),
    Operation(
        id="get_latest_build",
        method="GET",
        path="/v1/builds/latest",
        handler=get_build,
        scope="builds:run",
        tag="Builds",
        about="How the newest build of this server goes.",
        answer=BuildStatus,
    ),
)
