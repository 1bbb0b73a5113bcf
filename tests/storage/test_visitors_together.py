"""Visitors read together are as if each had been read alone."""

import asyncio
import threading

import numpy as np
import pytest
from test_event_log_port import SHOP, event

from endcap.core.consent import Consent
from endcap.core.event import Line
from endcap.core.request import RecommendationRequest
from endcap.ingest.identity import MERGE
from endcap.services.ahead import willing
from endcap.storage import visitors as module
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.sql.sqlite import SqliteStore
from endcap.storage.visitors import MemoryVisitors, read_events, read_many

NAMES = [f"v{n}" for n in range(12)]
TYPES = ("view", "purchase", "impression", "cart_add", "served", "search", MERGE)


def history(seed, count=300):
    rng = np.random.default_rng(seed)
    events = []
    for n in range(count):
        kind = TYPES[rng.integers(len(TYPES))]
        other = NAMES[rng.integers(12)] if kind == MERGE and rng.random() < 0.7 else None
        made = {"visitor": NAMES[rng.integers(12)], "type": kind, "occurred_at": n, "merged": other}
        events.append(event(str(n), lines=(Line(f"p{rng.integers(5)}"),), **made))
    return events


@pytest.fixture(params=["memory", "sqlite"])
def log(request, tmp_path):
    if request.param == "memory":
        yield MemoryEventLog()
        return
    store = SqliteStore(tmp_path)
    yield store.events
    store.close()


@pytest.mark.parametrize("most", [40_000, 20])
def test_together_and_alone_read_the_same(log, monkeypatch, most):
    monkeypatch.setattr(module, "MOST", most)
    monkeypatch.setattr(module, "AT_ONCE", 5)
    log.append(history(1), [])
    found = read_many(log, SHOP, [*NAMES, "nobody"])
    assert found == {name: read_events(log, SHOP, name) for name in [*NAMES, "nobody"]}
    assert sum(map(len, found.values())) > 100


def test_states_read_ahead_are_those_asked_for(log, monkeypatch):
    async def found(ahead):
        visitors = MemoryVisitors(log)
        if ahead:
            await visitors.read_ahead(SHOP, [*NAMES, *NAMES])
            monkeypatch.setattr(module, "read_events", None)  # nothing is read again
        return [await visitors.recent(SHOP, name) for name in NAMES]

    log.append(history(2), [])
    alone = asyncio.run(found(False))
    assert asyncio.run(found(True)) == alone


def test_an_event_that_comes_while_they_are_read_is_not_lost():
    asyncio.run(_an_event_comes())


async def _an_event_comes():
    class Slow(MemoryEventLog):
        go = threading.Event()

        def by_visitor(self, *arguments):
            found = super().by_visitor(*arguments)
            self.go.wait(10)
            return found

    log = Slow()
    visitors = MemoryVisitors(log)
    reading = asyncio.ensure_future(visitors.read_ahead(SHOP, NAMES))
    await asyncio.sleep(0.05)
    late = event("late", visitor=NAMES[-1], lines=(Line("p"),))
    log.append([late], [])
    await visitors.fold([late])
    log.go.set()
    await reading
    expected = (await MemoryVisitors(log).recent(SHOP, NAMES[-1])).recent
    assert len(expected) == 1
    assert (await visitors.recent(SHOP, NAMES[-1])).recent == expected


def test_who_wants_no_answer_of_their_own_is_not_read():
    asked = [
        RecommendationRequest(placement="home", visitor="yes"),
        RecommendationRequest(placement="home", visitor="off", personalization="off"),
        RecommendationRequest(
            placement="home", visitor="no", consent=Consent(personalisation="denied")
        ),
        RecommendationRequest(placement="home"),
    ]
    assert willing(asked) == ["yes"]
