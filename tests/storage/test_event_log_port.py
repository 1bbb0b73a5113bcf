"""The event log port's laws, held to by every engine."""

import threading
import time

import msgspec
import pytest
from ids import EVERY, PAIRS

from endcap.core.event import DeadLetter, Event, Line, Origin, Served

SHOP = "default"


def event(event_id="e", **fields):
    values = {
        "shop": SHOP,
        "source": "api",
        "event_id": event_id,
        "type": "view",
        "visitor": "v",
        "occurred_at": 1,
        "received_at": 2,
    }
    return Event(**values | fields)


def letter(payload=b"{", **fields):
    values = {
        "shop": SHOP,
        "source": "api",
        "received_at": 1,
        "code": "missing",
        "reason": "/visitor: missing",
    }
    return DeadLetter(payload=payload, **values | fields)


def test_an_event_comes_back_whole(store):
    whole = event(
        "e\U0001f380",
        type="purchase",
        session="s",
        occurred_at=2**53,
        received_at=2**53 + 1,
        lines=(Line("a", 2, 255), Line("a", 1, None), Line("b ", 1_000_000, 0)),
        currency="GBP",
        query="'; drop table events; --",
        rating=4.5,
        order="o",
        token="t",
        zone="GB",
        device="mobile",
        placement="home",
        clamped=True,
        reported=1_999,
        traffic="staff",
        served=Served(
            slots=(Origin(("similar",), ("r",)), Origin()),
            fallback="popular",
            variant="b",
            micros=7,
        ),
    )
    assert store.events.append([whole], []) == [True]
    (kept,) = store.events.after(SHOP, 0, 10)
    assert kept.seq >= 1
    assert msgspec.structs.replace(kept, seq=0) == whole
    assert store.events.last(SHOP) == kept.seq


def test_an_event_is_kept_once_and_the_first_wins(store):
    assert store.events.append([event("a", query="first")], []) == [True]
    again = [event("a", query="second"), event("b"), event("b"), event("a")]
    assert store.events.append(again, []) == [False, True, False, False]
    kept = store.events.after(SHOP, 0, 10)
    assert [(e.event_id, e.query) for e in kept] == [("a", "first"), ("b", None)]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_event_ids_that_look_alike_are_two_events(store, one, other):
    assert store.events.append([event(one), event(other)], []) == [True, True]
    assert store.events.append([event(other), event(one)], []) == [False, False]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_visitors_that_look_alike_are_two_visitors(store, one, other):
    store.events.append([event("1", visitor=one), event("2", visitor=other)], [])
    assert [e.event_id for e in store.events.by_visitor(SHOP, one, 10)] == ["1"]
    assert [e.event_id for e in store.events.by_visitor(SHOP, other, 10)] == ["2"]


def test_the_same_id_from_another_source_or_shop_is_another_event(store):
    three = [event("e"), event("e", source="import"), event("e", shop="other")]
    assert store.events.append(three, []) == [True, True, True]
    assert len(store.events.after(SHOP, 0, 10)) == 2
    assert len(store.events.after("other", 0, 10)) == 1


def test_places_rise_in_the_order_of_arrival(store):
    store.events.append([event(i) for i in EVERY], [])
    kept = store.events.after(SHOP, 0, 1_000)
    assert [e.event_id for e in kept] == EVERY
    places = [e.seq for e in kept]
    assert places == sorted(set(places))
    middle = places[len(places) // 2]
    assert [e.seq for e in store.events.after(SHOP, middle, 3)] == [
        p for p in places if p > middle
    ][:3]
    assert store.events.after(SHOP, places[-1], 10) == []


def test_a_visitors_latest_events_oldest_first(store):
    store.events.append([event(f"e{n}", visitor=f"v{n % 2}") for n in range(20)], [])
    latest = store.events.by_visitor(SHOP, "v1", 3)
    assert [e.event_id for e in latest] == ["e15", "e17", "e19"]
    assert store.events.by_visitor(SHOP, "nobody", 3) == []
    assert store.events.by_visitor("other", "v1", 3) == []


def test_a_visitors_latest_events_of_some_types(store):
    kinds = ["view", "served", "purchase", "view", "served"]
    store.events.append([event(f"e{n}", type=kind) for n, kind in enumerate(kinds)], [])
    visitor = store.events.after(SHOP, 0, 1)[0].visitor
    found = store.events.by_visitor(SHOP, visitor, 2, ("view", "purchase"))
    assert [e.event_id for e in found] == ["e2", "e3"]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_an_event_is_found_by_its_exact_id(store, one, other):
    store.events.append([event(one), event(other, source="import")], [])
    found = store.events.find(SHOP, store.events.after(SHOP, 0, 1)[0].source, one)
    assert found is not None
    assert found.event_id == one
    assert found.seq > 0
    assert store.events.find(SHOP, "nobody", one) is None
    assert store.events.find("other", found.source, one) is None


def test_refused_events_are_kept_as_they_came(store):
    payload = b'{"visitor":"\x00\xff\xed\xa0\x80"'
    assert store.events.append([], [letter(payload), letter(b"2", shop="other")]) == []
    (kept,) = store.events.dead_letters(SHOP, 0, 10)
    assert kept.payload == payload
    assert kept.reason == "/visitor: missing"
    assert store.events.dead_letters(SHOP, kept.seq, 10) == []


def test_an_empty_log(store):
    assert store.events.last(SHOP) == 0
    assert store.events.after(SHOP, 0, 10) == []
    assert store.events.append([], []) == []


def test_two_writers_and_a_reader_at_once(store):
    accepted = []

    def write(name):
        for start in range(0, 500, 10):
            batch = [event(f"{start + n}", visitor=name) for n in range(10)]
            accepted.extend(store.events.append(batch, []))

    seen = []

    def read():
        place, end = 0, time.monotonic() + 20
        while len(seen) < 500 and time.monotonic() < end:
            for one in store.events.after(SHOP, place, 100):
                place = one.seq
                seen.append(one.event_id)

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    reader = threading.Thread(target=read)
    for thread in [*threads, reader]:
        thread.start()
    for thread in [*threads, reader]:
        thread.join(30)
    assert sum(accepted) == 500
    assert len(accepted) == 1_000
    assert len(seen) == len(set(seen)) == 500
