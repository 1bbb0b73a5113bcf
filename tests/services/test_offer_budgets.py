"""Processes that share a budget spend all of it, and never more."""

import asyncio

from endcap.core.errors import StoreUnavailable
from endcap.core.merchant import Offer
from endcap.recommend.merchant import ActiveOffer, Merchant
from endcap.services.offer_budgets import KIND, OfferBudgets
from endcap.storage.memory_control import MemoryControl


class Process:
    """One process that makes the offer whenever it may."""

    def __init__(self, control, budget, clock, logged=0):
        self.merchant = Merchant()
        self.merchant.offers["spring"] = ActiveOffer(Offer(budget=budget), 1)
        self.budgets = OfferBudgets(control, lambda: clock[0])
        self.logged = logged
        self.made = 0

    async def ask(self):
        await self.budgets.ready("default", self.merchant, {"spring": self.logged})
        if self.merchant.ledger.left("spring"):
            self.merchant.ledger.made(["spring"], "", 0)
            self.made += 1


def test_together_they_spend_the_budget_exactly():
    async def run():
        control, clock = MemoryControl(), [0]
        processes = [Process(control, 137, clock) for _ in range(3)]
        for _ in range(100):
            await asyncio.gather(*(p.ask() for p in processes for _ in range(3)))
        assert sum(p.made for p in processes) == 137
        assert min(p.made for p in processes) > 0
        assert len(control.history("default", KIND, "spring")) < 100
        # A larger budget goes on at once, and what was taken is given back at the stop.
        for p in processes:
            p.merchant.offers["spring"] = ActiveOffer(Offer(budget=237), 2)
        await asyncio.gather(*(p.ask() for p in processes))
        for p in processes[:2]:
            await p.budgets.stop()
            p.merchant.ledger.take("spring", -p.merchant.ledger.left("spring"))
        clock[0] += 5_000
        for _ in range(150):
            await processes[2].ask()
            clock[0] += 1_000
        assert sum(p.made for p in processes) == 237

    asyncio.run(run())


def test_what_was_made_before_budgets_were_shared_counts():
    async def run():
        control, clock = MemoryControl(), [0]
        process = Process(control, 10, clock, logged=8)
        for _ in range(10):
            await process.ask()
        assert process.made == 2

    asyncio.run(run())


def test_a_killed_process_costs_the_budget_at_most_what_it_had_taken():
    async def run():
        control, clock = MemoryControl(), [0]
        killed = Process(control, 100, clock)
        await killed.ask()
        other = Process(control, 100, clock)
        for _ in range(200):
            await other.ask()
        assert killed.made + other.made == 96, "five were taken, one of them was spent"

    asyncio.run(run())


def test_without_the_store_nothing_more_is_spent():
    class Away(MemoryControl):
        def get(self, shop, kind, name, version):
            raise StoreUnavailable("gone")

    async def run():
        process = Process(Away(), 10, [0])
        await process.ask()
        await process.budgets.stop()
        assert process.made == 0

    asyncio.run(run())
