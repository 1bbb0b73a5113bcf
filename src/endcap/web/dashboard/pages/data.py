"""Data and jobs: is it fresh, and building it anew."""

import asyncio
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.job import Job
from endcap.core.status import BuildStatus
from endcap.web.dashboard.page import Action, Page, PageCall

SHOWN = 50


class Data(msgspec.Struct, frozen=True):
    """What there is and how the newest build went."""

    ready: dict[str, Any]
    build: BuildStatus
    jobs: list[Job]
    now: int


async def data(call: PageCall) -> Data:
    """The state of the store, the snapshot and the builds."""
    services = call.services
    jobs = await asyncio.to_thread(services.jobs, call.shop, SHOWN)
    status = services.builds.status(call.shop)
    return Data(await services.ready(), status, jobs, services.clock())


async def build(call: PageCall) -> Response:
    """Start a build."""
    await call.services.builds.start(call.shop)
    return call.go("/dashboard/data", said="The build runs.")


PAGES = (
    Page(
        id="data",
        path="/data",
        title="Data and jobs",
        template="data.html",
        data=data,
        group="Operate",
        place=10,
        refresh=2,
    ),
)
ACTIONS = (Action(id="build", path="/data/build", act=build, scope="builds:run"),)
