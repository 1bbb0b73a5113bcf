"""The strategies that placements can use, as their code describes them."""

import msgspec
from starlette.responses import Response

from endcap.core.status import StrategyView
from endcap.web.call import Call, answer
from endcap.web.operations import Operation


class Strategies(msgspec.Struct, frozen=True):
    """Every strategy, by name."""

    data: list[StrategyView]


async def get_strategies(call: Call) -> Response:
    """What each strategy does, takes and says."""
    call.query()
    return answer(Strategies(call.services.placements.strategies()))


OPERATIONS = (
    Operation(
        id="get_strategies",
        method="GET",
        path="/v1/strategies",
        handler=get_strategies,
        scope="recommendations:read",
        tag="Placements",
        about="Every strategy with its options and defaults, what it reads, and the codes of its "
        "reasons.",
        answer=Strategies,
    ),
)
