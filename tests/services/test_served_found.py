"""A slate is found by its token from the moment it was served, also while it is being written."""

import asyncio

from endcap.core.event import Event
from endcap.services.served import ServedLog


class SlowCommitter:
    def __init__(self):
        self.go_on = asyncio.Event()

    async def submit(self, events, dead):
        await self.go_on.wait()
        return [True] * len(events)


def test_found_while_waiting_and_while_being_written():
    async def run():
        committer = SlowCommitter()
        log = ServedLog(committer, pause=0.0)
        event = Event(
            shop="s",
            source="endcap",
            event_id="token",
            type="served",
            visitor="",
            occurred_at=1,
            received_at=1,
        )
        log.add(event)
        assert log.find("s", "token") is event
        await asyncio.sleep(0.02)
        assert log.find("s", "token") is event
        assert log.find("other", "token") is None
        committer.go_on.set()
        await log.flush()
        assert log.find("s", "token") is None

    asyncio.run(run())


def test_a_flush_waits_for_what_is_being_written():
    async def run():
        committer = SlowCommitter()
        log = ServedLog(committer, pause=0.0)
        log.add(
            Event(
                shop="s",
                source="endcap",
                event_id="token",
                type="served",
                visitor="",
                occurred_at=1,
                received_at=1,
            )
        )
        await asyncio.sleep(0.02)  # by now it is being written
        flushed = asyncio.create_task(log.flush())
        await asyncio.sleep(0.02)
        assert not flushed.done()
        committer.go_on.set()
        await flushed
        assert log.dropped == 0

    asyncio.run(run())
