"""Replicas make an offer exactly as often as its budget says, however they are asked."""

import threading

from replica_group import eventually

BUDGET = 60


def test_two_replicas_spend_one_budget_and_no_more(replicas):
    one, two = replicas.start(2, ENDCAP_BUILD_EVERY="0", ENDCAP_LIMIT_ADDRESS="0")
    one.put("spade", price="9.00", stock=5)
    eventually(lambda: two.items("popular") == ["spade"])
    offer = {"title": "Spring", "products": ["spade"], "budget": BUDGET}
    assert one.call("PUT", "/v1/offers/spring", offer)[0] == 200
    made = {0: 0, 1: 0}

    def ask(number, client):
        for n in range(80):
            made[number] += len(client.recommend("popular", visitor=f"{number}-{n}")["offers"])

    # Both see the offer within a second; what they make before they are counted is counted, too.
    eventually(lambda: bool(two.recommend("popular")["offers"]))
    made[1] += 1
    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate((one, two))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made.values()) == BUDGET
    assert min(made.values()) > 0
