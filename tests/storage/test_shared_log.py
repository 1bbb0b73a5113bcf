"""Several processes on one log: nothing is lost, nothing counts twice, no reader skips."""

import threading
import time

import pytest
from sqlalchemy import insert
from test_event_log_port import SHOP, event

from endcap.core.product import ProductWrite
from endcap.storage.mongo.places import Places
from endcap.storage.packed import pack_event
from endcap.storage.sql.appending import append_on_server
from endcap.storage.sql.tables import events
from endcap.storage.stores import open_store


class Follower:
    """Reads the tail as a replica does, and remembers in which order."""

    def __init__(self, store):
        self.store = store
        self.place = 0
        self.seen = []

    def poll(self):
        for one in self.store.events.after(SHOP, self.place, 1_000):
            self.place = one.seq
            self.seen.append(one.event_id)
        return self.seen


def held_open(store, event_id, append=append_on_server):
    """An append whose commit waits until the returned gate is opened; and its thread."""
    inside, gate = threading.Event(), threading.Event()

    def work(connection):
        append(connection, [event(event_id)], pack_event)
        inside.set()
        assert gate.wait(30)

    thread = threading.Thread(target=store.transact, args=(work,))
    thread.start()
    assert inside.wait(10)
    return gate, thread


@pytest.mark.parametrize("shared", ["postgresql", "mariadb"], indirect=True)
def test_a_commit_that_lands_late_is_not_skipped(shared):
    store, _ = shared
    follower = Follower(store)
    gate, slow = held_open(store, "slow")
    fast = threading.Thread(target=store.events.append, args=([event("fast")], []))
    fast.start()
    time.sleep(0.2)
    assert follower.poll() == []
    gate.set()
    slow.join(10)
    fast.join(10)
    assert follower.poll() == ["slow", "fast"]


@pytest.mark.parametrize("shared", ["postgresql", "mariadb"], indirect=True)
def test_without_the_head_it_would_be_skipped(shared):
    """The negative control: places given by the server's own counter."""

    def careless(connection, new, row):
        connection.execute(insert(events), [row(one) for one in new])

    store, _ = shared
    follower = Follower(store)
    gate, slow = held_open(store, "late", careless)
    store.transact(lambda connection: careless(connection, [event("early")], pack_event))
    assert follower.poll() == ["early"]
    gate.set()
    slow.join(10)
    assert follower.poll() == ["early"]
    assert len(store.events.after(SHOP, 0, 10)) == 2


@pytest.mark.parametrize("shared", ["mongodb"], indirect=True)
def test_an_insert_that_lands_late_is_not_skipped(shared):
    store, _ = shared
    follower = Follower(store)
    first, token = store.events.places.reserve(1)
    assert store.events.append([event("fast")], []) == [True]
    assert follower.poll() == []
    assert store.events.last(SHOP) == 0
    store.database.events.insert_one({**pack_event(event("slow")), "_id": first})
    assert follower.poll() == []
    store.events.places.release(token)
    assert follower.poll() == ["slow", "fast"]


@pytest.mark.parametrize("shared", ["mongodb"], indirect=True)
def test_a_writer_that_died_does_not_stop_the_tail_and_one_that_wakes_loses_nothing(shared):
    store, _ = shared
    follower = Follower(store)
    places = Places(store, "events", abandoned=0.05)
    store.events.places = places
    first, token = places.reserve(2)
    assert store.events.append([event("next")], []) == [True]
    assert follower.poll() == []
    time.sleep(0.1)
    follower.poll()
    assert follower.poll() == ["next"]
    # Now the first writer goes on with the places it was once given.
    reserve = places.reserve
    given = [(first, token)]
    places.reserve = lambda count: given.pop() if given else reserve(count)
    assert store.events.append([event("awake"), event("next"), event("too")], []) == [
        True,
        False,
        True,
    ]
    assert follower.poll() == ["next", "awake", "too"]
    assert [e.event_id for e in store.events.by_visitor(SHOP, "v", 10)] == follower.seen


def test_three_replicas_sent_the_same_store_it_once(shared, tmp_path):
    """Each event goes to all three, in overlapping batches of another order."""
    store, url = shared
    replicas = [open_store(url, tmp_path) for _ in range(3)]
    names = [f"e{n}" for n in range(240)]
    accepted, failures = [], []

    def send(number, replica):
        order = names[number * 80 :] + names[: number * 80]
        order = order[:: -1 if number % 2 else 1]
        try:
            for start in range(0, len(order), 24):
                batch = [event(name) for name in order[start : start + 24]]
                accepted.extend(replica.events.append(batch, []))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=pair) for pair in enumerate(replicas)]
    follower = Follower(store)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        follower.poll()
    for replica in replicas:
        replica.close()
    assert failures == []
    assert len(accepted) == 720
    assert sum(accepted) == 240
    assert sorted(follower.poll()) == sorted(names)


def test_catalogue_changes_of_two_replicas_are_one_stream(shared, tmp_path):
    store, url = shared
    replicas = [open_store(url, tmp_path) for _ in range(2)]
    failures = []

    def change(number, replica):
        try:
            for n in range(15):
                writes = [ProductWrite(f"p{number}", b"{}"), ProductWrite("both", b"%d" % n)]
                replica.catalogue.write(SHOP, writes, n)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=change, args=pair) for pair in enumerate(replicas)]
    for thread in threads:
        thread.start()
    seen = {}
    since = 0
    while any(thread.is_alive() for thread in threads) or store.catalogue.changes(SHOP, since, 1):
        for document in store.catalogue.changes(SHOP, since, 100):
            since = document.change
            seen[document.id] = document
    for replica in replicas:
        replica.close()
    assert failures == []
    assert since == 60
    assert {name: document.version for name, document in seen.items()} == {
        "p0": 15,
        "p1": 15,
        "both": 30,
    }
