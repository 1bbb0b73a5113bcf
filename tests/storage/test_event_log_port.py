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
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Event) == kept


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
    assert msgspec.json.decode(msgspec.json.encode(kept), type=DeadLetter) == kept
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


def test_an_erased_visitor_leaves_no_event_and_no_letter(store):
    sent = [event(f"e{n}", visitor=f"v{n % 3}") for n in range(9)]
    other = event("far", shop="other", visitor="v1")
    store.events.append([*sent, other], [letter(visitor="v1"), letter(visitor="v2"), letter()])
    place = store.events.last(SHOP)
    assert store.events.erase(SHOP, "v1") == 4
    assert store.events.erase(SHOP, "v1") == 0
    assert store.events.by_visitor(SHOP, "v1", 10) == []
    assert {e.visitor for e in store.events.after(SHOP, 0, 100)} == {"v0", "v2"}
    assert {d.visitor for d in store.events.dead_letters(SHOP, 0, 10)} == {"v2", ""}
    assert len(store.events.by_visitor("other", "v1", 10)) == 1
    # Its ids are free again, and no place is given a second time.
    assert store.events.append([event("e1", visitor="v9"), event("e2")], []) == [True, False]
    assert store.events.last(SHOP) > place


def test_places_of_an_erased_end_are_not_given_again(store):
    store.events.append([event("a"), event("b", visitor="last")], [])
    place = store.events.last(SHOP)
    store.events.erase(SHOP, "last")
    store.events.append([event("c")], [])
    assert store.events.last(SHOP) > place


def test_a_visitors_events_are_read_back_page_by_page(store):
    store.events.append([event(f"e{n}", visitor="v") for n in range(7)], [])
    found, before = [], None
    while page := store.events.by_visitor(SHOP, "v", 3, before=before):
        found += page[::-1]
        before = page[0].seq
    assert [e.event_id for e in found] == [f"e{n}" for n in range(6, -1, -1)]


def test_each_kind_expires_by_its_own_time(store):
    store.events.append(
        [
            event("old", received_at=10),
            event("new", received_at=20),
            event("old served", type="served", received_at=10),
            event("new served", type="served", received_at=20),
            event("elsewhere", shop="other", received_at=10),
        ],
        [letter(received_at=10), letter(received_at=20)],
    )
    assert store.events.expire(SHOP, "served", 20) == 1
    assert store.events.expire(SHOP, "letters", 20) == 1
    assert [e.event_id for e in store.events.after(SHOP, 0, 10)] == ["old", "new", "new served"]
    assert store.events.expire(SHOP, "events", 20) == 1
    assert store.events.expire(SHOP, "events", 20) == 0
    assert [e.event_id for e in store.events.after(SHOP, 0, 10)] == ["new", "new served"]
    assert len(store.events.dead_letters(SHOP, 0, 10)) == 1
    assert len(store.events.after("other", 0, 10)) == 1
