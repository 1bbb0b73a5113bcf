"""One leads; when it dies another does, and never before it has stopped believing."""

import asyncio

from endcap.services.leadership import Leader
from endcap.storage.memory_leases import MemoryLeases

PATIENCE = 0.2


def pair():
    leases = MemoryLeases()
    return Leader(leases, "work", "a", PATIENCE), Leader(leases, "work", "b", PATIENCE)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def test_the_first_leads_and_stays_while_it_renews():
    async def run():
        first, second = pair()
        assert not first.leads
        assert await first.attempt()
        assert first.leads
        task = asyncio.create_task(first.run())
        for _ in range(30):
            assert not await second.attempt()
            assert not second.leads
            await asyncio.sleep(0.02)
        assert first.leads
        task.cancel()

    asyncio.run(run())


def test_another_takes_over_when_the_beat_stands_still():
    async def run():
        first, second = pair()
        await first.attempt()
        task = asyncio.create_task(second.run())
        await until(lambda: second.leads)
        # By then the first one, which was never told, does not believe in itself any more.
        assert not first.leads
        assert not await first.attempt()
        assert not first.leads
        task.cancel()

    asyncio.run(run())


def test_one_that_was_frozen_and_wakes_does_not_take_the_lease_back():
    async def run():
        first, second = pair()
        await first.attempt()
        seen = first._leases.lease("work")
        task = asyncio.create_task(second.run())
        await until(lambda: second.leads)
        # It goes on where it was: with the claim from the beat it had seen.
        assert not first._leases.claim("work", "a", seen.beat)
        task.cancel()

    asyncio.run(run())
