"""Group commit: many callers, one transaction; a bad one or an impatient one harms no other."""

import asyncio
import threading

import pytest

from endcap.core.errors import Overloaded, StoreUnavailable
from endcap.core.event import Event
from endcap.services.group_commit import GroupCommitter
from endcap.services.served import ServedLog
from endcap.storage.memory_log import MemoryEventLog


def event(id, **fields):
    return Event(
        shop="default",
        source="t",
        event_id=id,
        type="view",
        visitor="v",
        occurred_at=1,
        received_at=1,
        **fields,
    )


class Log(MemoryEventLog):
    """Counts transactions, holds them while `open` is not set, and refuses poison."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.appends = []
        self.refuse = None

    def append(self, events, dead):
        self.open.wait(10)
        if self.refuse is not None:
            raise self.refuse
        if any(e.event_id == "poison" for e in events):
            raise OverflowError("cannot be stored")
        self.appends.append(len(events))
        return super().append(events, dead)


def kept(log):
    return [e.event_id for e in log.after("default", 0, 1_000_000)]


async def started(condition):
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


def test_what_waits_goes_into_one_transaction_and_each_gets_its_own_verdicts():
    async def scene():
        log = Log()
        committer = GroupCommitter(log)
        log.open.clear()
        first = asyncio.create_task(committer.submit([event("first")], ()))
        await asyncio.sleep(0.01)
        others = [
            asyncio.create_task(committer.submit([event(f"{n}"), event("first")], ()))
            for n in range(100)
        ]
        await asyncio.sleep(0.01)
        log.open.set()
        assert await first == [True]
        assert await asyncio.gather(*others) == [[True, False]] * 100
        assert len(log.appends) == 2
        assert len(kept(log)) == 101
        await committer.stop()

    asyncio.run(scene())


def test_one_that_cannot_be_stored_fails_alone():
    async def scene():
        log = Log()
        committer = GroupCommitter(log)
        log.open.clear()
        tasks = [
            asyncio.create_task(committer.submit([event(name)], ()))
            for name in ("a", "b", "poison", "c")
        ]
        await asyncio.sleep(0.01)
        log.open.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert found[0] == found[1] == found[3] == [True]
        assert isinstance(found[2], StoreUnavailable)
        assert sorted(kept(log)) == ["a", "b", "c"]
        await committer.stop()

    asyncio.run(scene())


def test_too_much_waiting_is_refused_at_once_and_what_waits_is_kept():
    async def scene():
        log = Log()
        committer = GroupCommitter(log, per_commit=10, waiting=50)
        log.open.clear()
        tasks = [
            asyncio.create_task(committer.submit([event(f"{n}-{i}") for i in range(10)], ()))
            for n in range(20)
        ]
        await asyncio.sleep(0.01)
        refused = [t for t in tasks if t.done() and isinstance(t.exception(), Overloaded)]
        assert len(refused) >= 10
        log.open.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        taken = sum(isinstance(one, list) for one in found)
        assert taken + len(refused) == 20
        assert len(kept(log)) == taken * 10
        assert (await committer.submit([event("later")], ())) == [True]
        await committer.stop()

    asyncio.run(scene())


def test_a_caller_that_goes_away_takes_nothing_out():
    async def scene():
        log = Log()
        committer = GroupCommitter(log)
        log.open.clear()
        tasks = [asyncio.create_task(committer.submit([event(f"{n}")], ())) for n in range(10)]
        await asyncio.sleep(0.01)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.sleep(0.01)
        log.open.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert found[1::2] == [[True]] * 5
        assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])
        await committer.stop()
        assert len(kept(log)) == 10

    asyncio.run(scene())


def test_a_store_that_refuses_is_told_to_all_and_then_works_again():
    async def scene():
        log = Log()
        committer = GroupCommitter(log)
        log.refuse = StoreUnavailable("disk full")
        tasks = [asyncio.create_task(committer.submit([event(f"{n}")], ())) for n in range(3)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, StoreUnavailable) for one in found)
        assert kept(log) == []
        log.refuse = None
        assert await committer.submit([event("0")], ()) == [True]
        await committer.stop()
        with pytest.raises(StoreUnavailable, match="stopping"):
            await committer.submit([event("late")], ())

    asyncio.run(scene())


def test_the_served_log_is_bounded_and_counts_what_it_drops():
    async def scene():
        log = Log()
        committer = GroupCommitter(log)
        served = ServedLog(committer, limit=10, pause=0.001)
        log.open.clear()
        for n in range(25):
            served.add(event(f"{n}"))
        assert served.dropped == 15
        log.open.set()
        await started(lambda: len(kept(log)) == 10)
        log.refuse = StoreUnavailable("disk full")
        served.add(event("lost"))
        await started(lambda: served.dropped == 16)
        log.refuse = None
        served.add(event("last"))
        await served.flush()
        await committer.stop()
        assert kept(log) == [*(f"{n}" for n in range(10)), "last"]

    asyncio.run(scene())
