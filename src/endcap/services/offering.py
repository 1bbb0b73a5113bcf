"""Offers in answers: what was made before is read from the log, what is made now is counted."""

import asyncio
from collections import defaultdict

import msgspec
import numpy as np

from endcap.core.answer import Slate
from endcap.core.ports import EventLog
from endcap.recommend.offers import carried, choose
from endcap.recommend.pipeline import Outcome
from endcap.recommend.query import Query, State

from .offer_budgets import OfferBudgets

# Slates of a visitor that are looked through for offers made before.
LOOKED_THROUGH = 500


class Offering:
    """Puts offers into answers and keeps to their budgets and caps."""

    def __init__(self, log: EventLog, budgets: OfferBudgets | None = None) -> None:
        """`budgets` are given where several processes share them."""
        self._log = log
        self._budgets = budgets

    async def ready(self, shop: str, visitor: str, state: State) -> None:
        """Read what was offered to the visitor, if an offer has a cap. Raises StoreUnavailable.

        Where budgets are shared, a part of each is taken.
        """
        merchant = state.merchant
        if not merchant.offers:
            return
        if self._budgets is not None:
            await self._budgets.ready(shop, merchant, _logged(state))
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

    async def stop(self) -> None:
        """Give back what was taken of shared budgets and not spent."""
        if self._budgets is not None:
            await self._budgets.stop()

    def carry(
        self, slate: Slate, outcome: Outcome, query: Query, state: State, made: bool = True
    ) -> tuple[Slate, tuple[str, ...]]:
        """The slate with its offers, and the names of those withheld.

        They count as `made`, unless the slate is of another time and nobody's.
        """
        if not state.merchant.offers:
            return slate, ()
        chosen = choose(query, state)
        rows = np.array([pick.row for pick in outcome.picks], np.int32)
        offers = carried(chosen, rows, outcome.rules, query, state)
        if made:
            state.merchant.ledger.made((one.name for one in offers), query.visitor, query.now)
        return msgspec.structs.replace(slate, offers=offers), tuple(chosen.withheld)


def _logged(state: State) -> dict[str, int]:
    """How often each offer was made, by snapshot and tail."""
    before, since = state.joined.offers_made, state.tail.offers
    return {name: before.get(name, 0) + since[name] for name in {*before, *since}}
