"""Visitor state in Redis: current whoever writes, bounded, and not needed."""

import asyncio
import itertools

import pytest
from redis import Redis
from test_event_log_port import SHOP, event

from endcap.core.errors import ConfigurationError
from endcap.core.event import Line
from endcap.storage.log_visitors import LogVisitors
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.redis_link import RedisLink
from endcap.storage.redis_visitors import RedisVisitors
from proxy import Proxy

MODES = ("refuse", "hang", "slow", "reset", "garbage")


class CountingLog(MemoryEventLog):
    reads = 0

    def by_visitor(self, *arguments):
        self.reads += 1
        return super().by_visitor(*arguments)


class Replica:
    """A process' view of one log and one Redis."""

    def __init__(self, log, port):
        self.log = log
        self.link = RedisLink(f"redis://127.0.0.1:{port}/0", pause=0.2)
        self.behind = LogVisitors(log)
        self.visitors = RedisVisitors(self.link, self.behind)

    async def __aenter__(self):
        await self.link.start()
        return self

    async def __aexit__(self, *_):
        await self.link.stop()
        self.behind.close()

    async def click(self, visitor, product, event_id):
        made = event(event_id, visitor=visitor, lines=(Line(product),), occurred_at=int(event_id))
        assert self.log.append([made], []) == [True]
        await self.visitors.fold([made])

    async def last(self, visitor):
        state = await self.visitors.recent(SHOP, visitor)
        return (state.recent[-1].product if state.recent else None), state.degraded


@pytest.fixture
def redis(servers):
    client = Redis(port=servers["redis"].port)
    client.flushall()
    yield client
    client.config_set("maxmemory", 0)
    client.replicaof("NO", "ONE")
    client.close()


@pytest.fixture
def proxy(servers, redis):
    made = Proxy(servers["redis"].port)
    yield made
    made.set("pass")
    made.close()


async def eventually(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_a_state_is_read_from_the_log_once_and_again_after_each_event(redis, servers):
    async def run():
        log = CountingLog()
        port = servers["redis"].port
        async with Replica(log, port) as one, Replica(log, port) as two:
            await one.click("v", "a", "1")
            assert await two.last("v") == ("a", ())
            before = log.reads
            for _ in range(5):
                assert await one.last("v") == ("a", ())
                assert await two.last("v") == ("a", ())
            assert log.reads == before
            for n in range(2, 60):
                here, there = (one, two) if n % 2 else (two, one)
                await here.click("v", f"p{n}", str(n))
                assert await there.last("v") == (f"p{n}", ())
            assert await one.last("somebody else") == (None, ())

    asyncio.run(run())
    assert redis.dbsize() > 0


def test_every_key_expires_and_one_visitors_keys_share_a_slot(redis, servers):
    async def run():
        async with Replica(CountingLog(), servers["redis"].port) as one:
            for n in range(1, 6):
                await one.click(f"v{n}", "a", str(n))
                await one.last(f"v{n}")

    asyncio.run(run())
    keys = [key.decode() for key in redis.scan_iter()]
    assert len(keys) >= 10
    assert all(0 < redis.ttl(key) <= 3_600 for key in keys)
    tags = [key[: key.index("}") + 1] for key in keys if "{" in key]
    assert len(set(tags)) * 2 == len(tags)


def test_what_is_forgotten_is_gone_from_redis(redis, servers):
    async def run():
        async with Replica(CountingLog(), servers["redis"].port) as one:
            await one.click("v", "canary", "1")
            await one.last("v")
            assert any(b"canary" in redis.get(key) for key in redis.scan_iter("*:state"))
            await one.visitors.forget(SHOP, "v")
            assert not list(redis.scan_iter("*:state"))

    asyncio.run(run())


def test_a_reader_that_was_slow_leaves_nothing_stale(redis, servers):
    """It has read the log before the event, and writes to Redis after it."""

    async def run():
        log = CountingLog()
        port = servers["redis"].port
        async with Replica(log, port) as slow, Replica(log, port) as other:
            await other.click("v", "old", "1")
            recent = slow.behind.recent

            async def stopped(*arguments):
                state = await recent(*arguments)
                await other.click("v", "new", "2")
                return state

            slow.behind.recent = stopped
            assert (await slow.last("v"))[0] == "old"
            slow.behind.recent = recent
            for replica in (other, slow):
                assert await replica.last("v") == ("new", ())

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_a_broken_connection(proxy, redis, mode):
    async def run():
        log = CountingLog()
        async with Replica(log, proxy.port) as one, Replica(log, proxy.port) as two:
            numbers = itertools.count(1)

            async def write_and_read():
                n = next(numbers)
                here, there = (one, two) if n % 2 else (two, one)
                await here.click("v", f"p{n}", str(n))
                product, degraded = await there.last("v")
                assert product == f"p{n}"
                return degraded

            assert await write_and_read() == ()
            proxy.set(mode)
            marks = [await write_and_read() for _ in range(30)]
            # The first may still find a state; from then on it says that Redis is away.
            assert all(mark == ("redis",) for mark in marks[3:])
            # While it is away it is asked once a pause by each, not once a request.
            asked = proxy.connections
            begun = asyncio.get_running_loop().time()
            for _ in range(200):
                await write_and_read()
            waited = asyncio.get_running_loop().time() - begun
            assert proxy.connections - asked <= 2 * (waited / 0.2 + 2)
            proxy.set("pass")

            async def is_back():
                # Both replicas: they take turns, and each waits for its own pause to end.
                return [await write_and_read() for _ in range(2)] == [(), ()]

            await eventually(is_back)
            for _ in range(20):
                assert await write_and_read() == ()

    asyncio.run(run())


def readonly(redis):
    redis.replicaof("127.0.0.1", 1)


def full(redis):
    redis.config_set("maxmemory-policy", "noeviction")
    redis.config_set("maxmemory", 1)


def mended(redis):
    redis.config_set("maxmemory", 0)
    redis.replicaof("NO", "ONE")


@pytest.mark.parametrize("trouble", [readonly, full])
def test_a_redis_that_can_be_read_but_not_written(redis, servers, trouble):
    async def run():
        log = CountingLog()
        port = servers["redis"].port
        async with Replica(log, port) as one, Replica(log, port) as two:
            await one.click("v", "a", "1")
            assert await two.last("v") == ("a", ())
            trouble(redis)
            await one.click("v", "b", "2")
            assert await one.last("v") == ("b", ("redis",))

            async def noticed():
                return (await two.last("v")) == ("b", ("redis",))

            # The other one notices within its second, as it writes a probe.
            await eventually(noticed)
            mended(redis)

            async def is_back():
                return (await one.last("v"))[1] == () and (await two.last("v"))[1] == ()

            await eventually(is_back)
            assert await one.last("v") == ("b", ())
            assert await two.last("v") == ("b", ())

    asyncio.run(run())


def test_what_is_in_redis_is_not_trusted(redis, servers):
    async def run():
        log = CountingLog()
        async with Replica(log, servers["redis"].port) as one:
            await one.click("v", "a", "1")
            await one.click("w", "other", "2")
            assert await one.last("v") == ("a", ())
            assert await one.last("w") == ("other", ())
            state, turn = sorted(k for k in redis.scan_iter() if b":v}" in k)
            strange = redis.get(next(k for k in redis.scan_iter() if b":w}:state" in k))
            for content in (b"", b"\xc1", b"\x00" * 50, strange, b"\x93\xa1x\xa1y\x90"):
                redis.set(state, content)
                assert await one.last("v") == ("a", ())
            for key in (state, turn):
                redis.delete(key)
                redis.lpush(key, "a list")
                assert await one.last("v") == ("a", ())
            redis.flushall()
            assert await one.last("v") == ("a", ())

    asyncio.run(run())


def test_a_cancelled_call_leaves_no_reply_to_the_next_one(proxy, redis):
    async def run():
        log = CountingLog()
        async with Replica(log, proxy.port) as one:
            for n in range(1, 21):
                await one.click(f"v{n}", f"p{n}", str(n))
                await one.last(f"v{n}")
            for n in range(400):
                visitor = n % 20 + 1
                task = asyncio.create_task(one.last(f"v{visitor}"))
                await asyncio.sleep(0 if n % 3 else 0.0005)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                other = (n * 7) % 20 + 1
                assert (await one.last(f"v{other}"))[0] == f"p{other}"

    asyncio.run(run())


def test_when_too_much_was_missed_redis_is_left_out_until_all_has_expired(redis, servers):
    async def run():
        async with Replica(CountingLog(), servers["redis"].port) as one:
            one.link._expiry = 0.5
            one.link.mark_stale([f"{{{n}}}:" for n in range(20_001)])
            assert not await one.link.probe()
            assert (await one.last("v"))[1] == ("redis",)

            async def is_back():
                return (await one.last("v"))[1] == ()

            await eventually(is_back)

    asyncio.run(run())


def test_an_address_that_means_nothing():
    with pytest.raises(ConfigurationError, match="cache_url"):
        RedisLink("nonsense://x")
