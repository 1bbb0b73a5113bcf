"""Following the log: what any process wrote is in the tail soon, and a swap loses nothing."""

import asyncio

import msgspec
import numpy as np
import pytest

from endcap.catalog.columns import Columns
from endcap.core.errors import StoreUnavailable
from endcap.core.event import Event, Line
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.product import ProductWrite
from endcap.relations.tail import Tail
from endcap.services.live import LiveState
from endcap.services.tailing import Follower, WakingCommitter, catch_up
from endcap.storage.memory_catalogue import MemoryCatalogue
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.snapshots import FolderSnapshots

NOW = 1_700_000_000_000


def view(number, visitor, product):
    return Event(
        shop=DEFAULT_SHOP,
        source="t",
        event_id=str(number),
        type="view",
        visitor=visitor,
        occurred_at=NOW + number,
        received_at=NOW + number,
        lines=(Line(product),),
    )


class Committer:
    """Appends at once, as another process would."""

    def __init__(self, log):
        self.log = log

    async def submit(self, events, dead):
        return self.log.append(events, dead)


def live_shop(tmp_path, log):
    catalogue = MemoryCatalogue()
    writes = [ProductWrite(p, msgspec.json.encode({"id": p})) for p in "abc"]
    catalogue.write(DEFAULT_SHOP, writes, 1)
    return LiveState(catalogue, FolderSnapshots(tmp_path), log)


def ranked(state):
    return [state.columns.ids[row] for row in state.counters.ranked("1h", NOW + 10_000)]


def test_a_start_folds_what_is_in_the_log(tmp_path):
    log = MemoryEventLog()
    log.append([view(n, f"v{n}", "b") for n in range(3)], [])
    live = live_shop(tmp_path, log)
    asyncio.run(live.load(DEFAULT_SHOP))
    assert ranked(live.state(DEFAULT_SHOP)) == ["b"]
    assert live.state(DEFAULT_SHOP).tail.seq == 3


def test_own_events_are_folded_at_once_and_others_within_the_pause(tmp_path):
    async def scenario():
        log = MemoryEventLog()
        live = live_shop(tmp_path, log)
        await live.load(DEFAULT_SHOP)
        # The pause is so long that only waking explains what is seen.
        follower = Follower(live.state, log, pause=60, rest=0)
        task = asyncio.create_task(follower.run(DEFAULT_SHOP))
        await asyncio.sleep(0.05)
        own = WakingCommitter(Committer(log), follower.wake)
        await own.submit([view(1, "v1", "c")], [])
        await until(lambda: live.state(DEFAULT_SHOP).tail.seq == 1)
        task.cancel()
        other = Follower(live.state, log, pause=0.01, rest=0)
        task = asyncio.create_task(other.run(DEFAULT_SHOP))
        log.append([view(2, "v2", "a"), view(3, "v3", "a")], [])
        await until(lambda: live.state(DEFAULT_SHOP).tail.seq == 3)
        task.cancel()
        return ranked(live.state(DEFAULT_SHOP))

    assert asyncio.run(scenario()) == ["a", "c"]


async def until(true):
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


def test_a_page_read_for_an_old_tail_is_not_folded(tmp_path):
    log = MemoryEventLog()
    log.append([view(1, "v1", "a")], [])
    tail = Tail()
    folded = asyncio.run(catch_up(log, DEFAULT_SHOP, tail, Columns(), lambda: False))
    assert (folded, tail.seq) == (0, 0)


def test_a_log_that_fails_is_tried_again(tmp_path, monkeypatch):
    class Failing(MemoryEventLog):
        def after(self, shop, seq, limit):
            raise StoreUnavailable("gone")

    async def scenario():
        follower = Follower(live_shop(tmp_path, None).state, Failing(), pause=0.01)
        task = asyncio.create_task(follower.run(DEFAULT_SHOP))
        await until(lambda: follower.failed >= 1)
        assert not task.done()
        task.cancel()

    asyncio.run(scenario())


@pytest.mark.parametrize("order", [1, -1])
def test_processes_agree_whatever_pages_they_read(order, tmp_path):
    log = MemoryEventLog()
    rng = np.random.default_rng(2)
    log.append([view(n, f"v{rng.integers(9)}", "abc"[rng.integers(3)]) for n in range(50)], [])
    columns = live_shop(tmp_path, None).state(DEFAULT_SHOP).columns
    events = log.after(DEFAULT_SHOP, 0, 50)
    whole, split = Tail(), Tail()
    whole.fold(events, columns)
    for cut in ((0, 7), (7, 20), (15, 50)):
        split.fold(events[cut[0] : cut[1]], columns)
    rows = np.arange(3, dtype=np.int32)
    assert (
        whole.counters.rate(rows, "1h", NOW).tolist()
        == split.counters.rate(rows, "1h", NOW).tolist()
    )
