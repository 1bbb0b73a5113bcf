"""What is wanted more than usual."""

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.status import TrendView
from endcap.services.trends import KINDS
from endcap.web.call import Call, answer, number
from endcap.web.operations import Operation, Parameter

MAX_COUNT = 100


class TrendPage(msgspec.Struct, frozen=True):
    """Trends by falling growth."""

    data: list[TrendView]


async def get_trending(call: Call) -> Response:
    """Trending products, categories or brands."""
    query = call.query()
    kind = query.get("of", ["products"])[-1]
    count = number(query, "count", 20) or 0
    problems: list[FieldProblem] = []
    if kind not in KINDS:
        message = f"must be one of: {', '.join(KINDS)}"
        problems.append(FieldProblem("/query/of", "not_allowed", message))
    if not 1 <= count <= MAX_COUNT:
        problems.append(FieldProblem("/query/count", "out_of_range", f"must be 1 to {MAX_COUNT}"))
    if problems:
        raise InvalidInput("the parameters cannot be taken", problems)
    return answer(TrendPage(call.services.trends.trends(call.shop, kind, count)))


OPERATIONS = (
    Operation(
        id="get_trending",
        method="GET",
        path="/v1/trending",
        handler=get_trending,
        scope="recommendations:read",
        tag="Trends",
        about="Products, categories or brands that more visitors want than usual. Recent visitors "
        "are set against the thing's own baseline; both counts are returned.",
        parameters=(
            Parameter("of", "What: products, categories or brands.", {"enum": list(KINDS)}),
            Parameter(
                "count",
                "How many.",
                {"type": "integer", "minimum": 1, "maximum": MAX_COUNT, "default": 20},
            ),
        ),
        answer=TrendPage,
        errors=(InvalidInput,),
    ),
)
