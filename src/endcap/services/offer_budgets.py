"""Budgets of offers among several processes: each takes a part, and spends only what it took.

The store keeps one number per offer: how much of the budget was given out. A process takes a
twentieth of what is left at a time (at least 1), by a put that fails when another one came first;
so together they never make an offer more often than its budget says. What a process has taken and
not spent it gives back when it stops. What a process that was killed had taken is lost to the
budget: at most a twentieth of what was left when it took it.
"""

import asyncio
from collections import defaultdict

import msgspec

from endcap.core.errors import StoreUnavailable, VersionConflict
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import SECOND, Clock
from endcap.recommend.merchant import ActiveOffer, Merchant

KIND = "offer_budget"
PARTS = 20
TRIES = 10
# After nothing was left a budget is not looked at for so long.
PAUSE = SECOND


class Given(msgspec.Struct, frozen=True):
    """How much of an offer's budget was given out to processes, or spent before they shared it."""

    given: int


class OfferBudgets:
    """Takes parts of budgets into the ledgers of one process."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._empty: dict[tuple[str, str], tuple[int, int]] = {}
        self._merchants: dict[str, Merchant] = {}

    async def ready(self, shop: str, merchant: Merchant, logged: dict[str, int]) -> None:
        """Have something to spend of each budget that has something left.

        `logged` is how often each offer was made by the log; it counts when a budget is shared for
        the first time. While the store does not answer nothing more is spent than was taken.
        """
        merchant.ledger.shared = True
        self._merchants[shop] = merchant
        for name, active in list(merchant.offers.items()):
            if self._wanted(shop, name, active, merchant):
                async with self._turns[shop, name]:
                    if self._wanted(shop, name, active, merchant):
                        await self._take(shop, name, active, merchant, logged.get(name, 0))

    async def stop(self) -> None:
        """Give back what was not spent."""
        for shop, merchant in self._merchants.items():
            for name, left in merchant.ledger.unspent().items():
                merchant.ledger.take(name, -left)
                try:
                    await asyncio.to_thread(self._give_out, shop, name, -left, None, 0)
                except StoreUnavailable:
                    return

    def _wanted(self, shop: str, name: str, active: ActiveOffer, merchant: Merchant) -> bool:
        budget = active.offer.budget
        if budget is None or not active.offer.enabled or merchant.ledger.left(name) > 0:
            return False
        was, until = self._empty.get((shop, name), (0, 0))
        return was != budget or self._clock() >= until

    async def _take(
        self, shop: str, name: str, active: ActiveOffer, merchant: Merchant, logged: int
    ) -> None:
        budget = active.offer.budget
        assert budget is not None
        try:
            taken = await asyncio.to_thread(self._give_out, shop, name, None, budget, logged)
        except StoreUnavailable:
            taken = 0
        if taken:
            merchant.ledger.take(name, taken)
        else:
            self._empty[shop, name] = (budget, self._clock() + PAUSE)

    def _give_out(
        self, shop: str, name: str, part: int | None, budget: int | None, logged: int
    ) -> int:
        """Give out `part` of the budget, or with None a twentieth of what is left; how much."""
        for _ in range(TRIES):
            record = self._control.get(shop, KIND, name, None)
            given = logged
            if record is not None and record.body is not None:
                given = msgspec.json.decode(record.body, type=Given).given
            take = part
            if take is None:
                left = max(0, (budget or 0) - given)
                take = min(left, max(1, left // PARTS))
            if not take:
                return 0
            made = ControlRecord(
                kind=KIND,
                name=name,
                version=0,
                body=msgspec.json.encode(Given(given + take)),
                author="endcap",
                note="a part of the budget",
                created_at=self._clock(),
            )
            try:
                self._control.put(shop, made, record.version if record is not None else 0)
            except VersionConflict:
                continue
            return take
        return 0
