"""Slates that replicas share: never out of date by more than a second, and never needed."""

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy import Proxy
from replica_group import PRODUCTS, eventually


def sources(client):
    """How many slates came from where."""
    client.connection.request("GET", "/metrics")
    text = client.connection.getresponse().read().decode()
    return {
        sample.labels["source"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "endcap_slates_total"
    }


def started(replicas, url, **extra):
    clients = replicas.start(2, ENDCAP_BUILD_EVERY="0", ENDCAP_CACHE_URL=url, **extra)
    for product in PRODUCTS:
        clients[0].put(product, price="1.00", stock=5)
    eventually(lambda: clients[1].ready()[1]["products"] == len(PRODUCTS))
    return clients


@pytest.mark.parametrize("cache", ["redis", "memcached"])
def test_what_one_made_another_gives_and_changes_show_within_a_second(replicas, servers, cache):
    one, two = started(replicas, servers[cache].url(), ENDCAP_SLATE_SECONDS="1")

    def shared():
        for n in range(20):
            for client in (one, two):
                assert client.items("popular", visitor=f"v{n}")
        return sources(one)["shared"] and sources(two)["shared"]

    eventually(shared)
    assert sources(one)["memory"] > sources(one)["made"]
    waits = []
    for n in range(8):
        here, there = (one, two) if n % 2 else (two, one)
        price = f"{n + 2}.50"

        here.put("p0", price=price, stock=5)
        own = {i["id"]: i["product"]["price"] for i in here.recommend("popular")["items"]}
        assert own["p0"] == price

        def there_too(there=there, price=price):
            items = there.recommend("popular")["items"]
            return {item["id"]: item["product"]["price"] for item in items}["p0"] == price

        waits.append(eventually(there_too))
    assert len(waits) == 8
    assert sorted(waits)[4] <= 1.0


@pytest.mark.parametrize("cache", ["redis", "memcached"])
def test_a_cache_in_trouble_costs_no_answer(replicas, servers, cache):
    proxy = Proxy(servers[cache].port)
    try:
        url = servers[cache].url().replace(str(servers[cache].port), str(proxy.port))
        one, two = started(replicas, url, ENDCAP_SLATE_SECONDS="0.2")
        answers = 0
        for trouble in ("pass", "refuse", "hang", "slow", "reset", "garbage", "pass"):
            proxy.set(trouble)
            end = time.monotonic() + 1.2
            while time.monotonic() < end:
                for client in (one, two):
                    answer = client.recommend("popular")  # asserts a 200
                    assert len(answer["items"]) == 12
                    # Nothing of the answer is missing because a slate was not found.
                    assert answer["degraded"] == []
                    answers += 1
            for client in (one, two):
                assert client.ready()[0] == 200
        assert answers >= 200
    finally:
        proxy.set("pass")
        proxy.close()
