"""Why a slate is as it was: its trace, why a product is not in it, and the slate made again."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.answer import Item
from endcap.core.errors import InvalidInput, NotFound
from endcap.web.call import Call, answer
from endcap.web.operations import Operation, Parameter

PREFIX = "/v1/recommendations/"
TOKEN = Parameter("token", "Token of a slate that was served.", place="path")
PRODUCT = Parameter("product", "Product id, percent-encoded.", place="path")


class TraceView(msgspec.Struct, frozen=True):
    """Every decision behind a slate.

    `exact` says whether making it again gave the same slate; `differences` what could not be
    brought back.
    """

    token: str
    placement: str
    exact: bool
    differences: list[str]
    trace: dict[str, Any]


class WhyNot(msgspec.Struct, frozen=True, omit_defaults=True):
    """What kept a product out: `by` names the filter, rule or step, `why` the value it lacked."""

    token: str
    placement: str
    exact: bool
    differences: list[str]
    product: str
    shown: bool
    by: str
    why: str
    position: int | None = None


class Replay(msgspec.Struct, frozen=True):
    """The slate made again from its stored inputs; `served` are the ids that were shown."""

    token: str
    placement: str
    exact: bool
    differences: list[str]
    served: list[str]
    items: list[Item]


async def get_trace(call: Call) -> Response:
    """The trace of a served slate."""
    return answer(await call.services.traces.trace(call.shop, _token(call)))


async def get_why_not(call: Call) -> Response:
    """Why a product is not in a served slate."""
    token, _, product = call.tail(PREFIX).partition("/why-not/")
    return answer(await call.services.traces.why_not(call.shop, token, product))


async def get_replay(call: Call) -> Response:
    """A served slate made again."""
    return answer(await call.services.traces.replay(call.shop, _token(call)))


def _token(call: Call) -> str:
    call.query()
    return call.tail(PREFIX).rpartition("/")[0]


def _operation(**fields: Any) -> Operation:
    return Operation(
        method="GET",
        scope="reports:read",
        tag="Explanations",
        errors=(InvalidInput, NotFound),
        **fields,
    )


OPERATIONS = (
    _operation(
        id="get_trace",
        path="/v1/recommendations/{token}/trace",
        handler=get_trace,
        about="Every decision behind a slate that was served: candidates by strategy, rules, "
        "moves, and what was removed by what. Every score can be worked out again from it.",
        parameters=(TOKEN,),
        answer=TraceView,
    ),
    _operation(
        id="get_why_not",
        path="/v1/recommendations/{token}/why-not/{product:path}",
        handler=get_why_not,
        about="The first thing that kept a product out of a slate, and the value it lacked.",
        parameters=(TOKEN, PRODUCT),
        answer=WhyNot,
    ),
    _operation(
        id="get_replay",
        path="/v1/recommendations/{token}/replay",
        handler=get_replay,
        about="The slate made again from its stored inputs, beside what was served.",
        parameters=(TOKEN,),
        answer=Replay,
    ),
)
