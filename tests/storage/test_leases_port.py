"""The leases port's laws, held to by every engine."""

import threading

from endcap.core.ports import Lease


def test_a_lease_is_taken_renewed_and_taken_over_from_the_beat_seen(store):
    assert store.leases.lease("work") is None
    assert store.leases.claim("work", "a", 0)
    assert store.leases.lease("work") == Lease("a", 1)
    assert not store.leases.claim("work", "b", 0)
    assert store.leases.claim("work", "a", 1)
    assert not store.leases.claim("work", "b", 1)
    assert store.leases.claim("work", "b", 2)
    assert not store.leases.claim("work", "a", 2)
    assert store.leases.lease("work") == Lease("b", 3)
    assert store.leases.lease("other") is None


def test_of_many_that_claim_one_gets_it(store):
    for beat in range(3):
        winners = []
        gate = threading.Barrier(4)

        def claim(name, beat=beat, winners=winners, gate=gate):
            gate.wait()
            if store.leases.claim("work", name, beat):
                winners.append(name)

        threads = [threading.Thread(target=claim, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(winners) == 1
        assert store.leases.lease("work") == Lease(winners[0], beat + 1)
