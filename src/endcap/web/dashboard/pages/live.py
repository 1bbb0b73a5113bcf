"""Live events: is tracking right?"""

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import DeadLetter
from endcap.core.merchant import Alias
from endcap.core.status import DecisionView
from endcap.services.decisions import decision
from endcap.services.inspect import LiveEvent, Matching
from endcap.web.dashboard.page import Action, Page, PageCall


class Live(msgspec.Struct, frozen=True):
    """The end of the log."""

    events: list[LiveEvent]
    matching: Matching
    share: float | None
    refused: list[DeadLetter]
    aliases: list[DecisionView]
    now: int


async def live(call: PageCall) -> Live:
    """The newest events, what was refused, and the match rate."""
    inspector = call.services.inspector
    matching = await inspector.matching(call.shop)
    return Live(
        events=await inspector.events(call.shop, 60),
        matching=matching,
        share=matching.share,
        refused=await inspector.refused(call.shop, 50),
        aliases=list(await call.services.decisions.list(call.shop, "alias")),
        now=call.services.clock(),
    )


async def name(call: PageCall) -> Response:
    """Let an unknown id stand for a product from now on."""
    unknown, product = (call.form.get(field, "").strip() for field in ("unknown", "product"))
    inspector, body = call.services.inspector, msgspec.json.encode(Alias(product=product))
    if inspector.product(call.shop, product) is None:
        problem = FieldProblem("/product", "unknown", f"the catalogue has no `{product[:200]}`")
        raise InvalidInput("the id cannot be mapped", [problem])
    given = decision("alias", unknown, body, call.author)
    await call.services.decisions.put(call.shop, given)
    return call.go("/dashboard/live", said="Events that name it count for the product from now on.")


async def forget(call: PageCall) -> Response:
    """Let an id stand for itself again."""
    given = decision("alias", call.form.get("unknown", ""), author=call.author)
    await call.services.decisions.delete(call.shop, given)
    return call.go("/dashboard/live", said="The id stands for itself again.")


PAGES = (
    Page(
        id="live",
        path="/live",
        title="Live events",
        template="live.html",
        data=live,
        group="Understand",
        place=30,
        refresh=2,
    ),
)
ACTIONS = (
    Action(id="alias", path="/live/alias", act=name, scope="rules:edit", page="live"),
    Action(id="alias_forget", path="/live/forget", act=forget, scope="rules:edit", page="live"),
)
