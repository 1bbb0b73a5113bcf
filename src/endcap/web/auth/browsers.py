"""What a publishable key may say: of one visitor per call, its token's if any, within limits."""

from collections.abc import Iterable, Sequence

from endcap.core.errors import Forbidden
from endcap.ingest.decode import Element
from endcap.services.collect import Check
from endcap.web.call import Call

MAX_BROWSER_BATCH = 500


def check_events(call: Call) -> Check | None:
    """What to look at before events of this call are taken; None for servers.

    Raises Forbidden for another visitor than the token's or several visitors, TooManyRequests.
    """
    if call.caller.kind != "browser":
        return None

    async def check(elements: Sequence[Element]) -> None:
        if len(elements) > MAX_BROWSER_BATCH:
            raise Forbidden(f"a publishable key sends at most {MAX_BROWSER_BATCH} events at once")
        visitors = {e.event.visitor for e in elements if e.event is not None}
        _check_visitors(call, visitors)
        for visitor in visitors:
            name = f"{call.shop}\0{visitor}"
            await call.services.security.visitors.take(name, len(elements))

    return check


def check_request(call: Call, visitors: Iterable[str | None], explain: bool) -> None:
    """Look at a request for recommendations. Raises Forbidden."""
    if call.caller.kind != "browser":
        return
    if explain:
        raise Forbidden("a publishable key cannot ask for the trace")
    _check_visitors(call, {visitor for visitor in visitors if visitor is not None})


def _check_visitors(call: Call, visitors: set[str]) -> None:
    if len(visitors) > 1:
        raise Forbidden("a publishable key speaks for one visitor at a time")
    if call.caller.visitor is not None and visitors - {call.caller.visitor}:
        raise Forbidden("the visitor is not the one of the visitor token")
