"""Offers in answers: what was made before is read from the log, what is made now is counted."""

import asyncio
from collections import defaultdict

import msgspec
import numpy as np

from endcap.core.answer import Slate
from endcap.core.ports import EventLog
from endcap.recommend.merchant import Merchant
from endcap.recommend.offers import carried, choose
from endcap.recommend.pipeline import Outcome
from endcap.recommend.query import Query, State

# Slates of a visitor that are looked through for offers made before.
LOOKED_THROUGH = 500


class Offering:
    """Puts offers into answers and keeps to their budgets and caps."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def ready(self, shop: str, visitor: str, merchant: Merchant) -> None:
        """Read what was offered to the visitor, if an offer has a cap. Raises StoreUnavailable."""
        ledger = merchant.ledger
        capped = any(one.offer.per_visitor is not None for one in merchant.offers.values())
        if not visitor or not capped or ledger.knows(visitor):
            return
        events = await asyncio.to_thread(
            self._log.by_visitor, shop, visitor, LOOKED_THROUGH, ("served",)
        )
        made: dict[str, list[int]] = defaultdict(list)
        for event in events:
            for offer in event.served.offers if event.served is not None else ():
                made[offer].append(event.occurred_at)
        ledger.remember(visitor, made)

    def carry(
        self, slate: Slate, outcome: Outcome, query: Query, state: State
    ) -> tuple[Slate, tuple[str, ...]]:
        """The slate with its offers, which now count as made, and the names of those withheld."""
        if not state.merchant.offers:
            return slate, ()
        chosen = choose(query, state)
        rows = np.array([pick.row for pick in outcome.picks], np.int32)
        offers = carried(chosen, rows, outcome.rules, query, state)
        state.merchant.ledger.made((one.name for one in offers), query.visitor, query.now)
        return msgspec.structs.replace(slate, offers=offers), tuple(chosen.withheld)
