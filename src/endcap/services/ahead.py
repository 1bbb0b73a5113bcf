"""Reading many visitors together before each of them is asked about."""

from collections.abc import Sequence

from endcap.core.consent import UNKNOWN
from endcap.core.ids import id_problem
from endcap.core.ports import ReadsAhead, VisitorStore
from endcap.core.request import RecommendationRequest
from endcap.ingest.pseudonyms import Pseudonyms

from .gate import Gate

AT_ONCE = 500


async def read_ahead(
    store: VisitorStore, pseudonyms: Pseudonyms, gate: Gate, shop: str, visitors: Sequence[str]
) -> None:
    """Have the states of those at hand who let them be used; ids that are none are left out.

    A store that cannot read many at once reads each when it is its turn.
    """
    if not isinstance(store, ReadsAhead):
        return
    names = [pseudonyms.visitor(shop, one) for one in visitors if id_problem(one, "") is None]
    allowed = [name for name in names if (await gate.allowed(shop, name, UNKNOWN)).personalisation]
    await store.read_ahead(shop, allowed)


def willing(requests: Sequence[RecommendationRequest]) -> list[str]:
    """The visitors of the requests that want an answer of their own."""
    return [
        one.visitor
        for one in requests
        if one.visitor and one.personalization == "on" and one.consent == UNKNOWN
    ]
