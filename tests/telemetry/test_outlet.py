"""An outlet never makes its callers wait: counts of what was sent, what waits, what was dropped."""

import logging
import threading

import pytest

from endcap.telemetry.outlet import Bounds, Outlet

QUICK = Bounds(waiting=50, batch=10, pause=0.01, rest=0.02, goodbye=0.3)


def until(condition):
    gate = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        gate.wait(0.01)
    raise AssertionError("it did not come about")


def test_what_is_put_arrives_in_order_and_in_batches():
    batches = []
    outlet = Outlet("x", batches.append, QUICK)
    for n in range(35):
        outlet.put(n)
    outlet.start()
    until(lambda: outlet.sent == 35)
    outlet.stop()
    assert [n for batch in batches for n in batch] == list(range(35))
    assert max(map(len, batches)) == 10
    assert outlet.dropped == 0


def test_stopping_sends_what_waits():
    got = []
    outlet = Outlet("x", got.extend, Bounds(pause=60.0))
    outlet.start()
    for n in range(7):
        outlet.put(n)
    outlet.stop()
    assert got == list(range(7))
    assert (outlet.sent, outlet.dropped) == (7, 0)


def test_a_hung_destination_bounds_what_waits_and_counts_the_rest():
    hung = threading.Event()
    taken = threading.Event()

    def send(_):
        taken.set()
        hung.wait(60)

    outlet = Outlet("x", send, QUICK)
    outlet.start()
    outlet.put(0)
    assert taken.wait(10)
    for n in range(10_000):
        outlet.put(n)
    assert outlet.waiting == 50
    assert outlet.dropped == 9_950
    outlet.stop()  # comes back although the thread hangs
    assert outlet.dropped == 10_000
    assert outlet.sent == 0
    hung.set()


def test_a_destination_that_refuses_is_said_once_and_used_again(caplog):
    caplog.set_level(logging.INFO)
    refuses, got = [True], []

    def send(batch):
        if refuses:
            raise OSError("canary in the text")
        got.extend(batch)

    outlet = Outlet("x", send, QUICK)
    outlet.start()
    for n in range(5):
        outlet.put(n)
        until(lambda n=n: outlet.dropped == n + 1)
    refuses.clear()
    outlet.put("again")
    until(lambda: got == ["again"])
    outlet.stop()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "telemetry does not arrive: x (builtins.OSError)",
        "telemetry arrives again: x",
    ]


@pytest.mark.parametrize("threads", [4])
def test_nothing_is_lost_from_the_counts_with_many_threads(threads):
    outlet = Outlet("x", lambda _: None, QUICK)

    def fill():
        for n in range(2_000):
            outlet.put(n)

    running = [threading.Thread(target=fill) for _ in range(threads)]
    outlet.start()
    for one in running:
        one.start()
    for one in running:
        one.join()
    outlet.stop()
    assert outlet.sent + outlet.dropped == 2_000 * threads
