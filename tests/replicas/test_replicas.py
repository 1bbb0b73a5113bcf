"""Several processes on one store see what the others did."""

import signal
import statistics
import time
from urllib.parse import urlsplit, urlunsplit

import pytest

from endcap.core.errors import ConfigurationError
from endcap.roles import duties
from endcap.settings import Settings
from proxy import Proxy
from replica_group import PRODUCTS, Client, eventually
from server import Server


@pytest.mark.parametrize("replicas", ["postgresql", "mariadb", "mongodb"], indirect=True)
def test_what_one_took_the_others_show(replicas, capsys):
    one, two = replicas.start(2, ENDCAP_BUILD_EVERY="0")
    for product in PRODUCTS:
        one.put(product, price="1.00", stock=5)
    eventually(lambda: two.ready()[1]["products"] == len(PRODUCTS))
    # Read your writes: in the very next answer, on the other replica.
    for n in range(40):
        here, there = (one, two) if n % 2 else (two, one)
        product = PRODUCTS[n % len(PRODUCTS)]
        status, receipt = here.send(f"e{n}", "v", product)
        assert (status, receipt["accepted"]) == (202, 1)
        assert there.items("recently_viewed", visitor="v")[0] == product
    # An event that both are sent counts once.
    assert one.send("twice", "v", "p1")[1]["accepted"] == 1
    assert two.send("twice", "v", "p1")[1]["duplicates"] == 1
    # Catalogue changes, in turn from either side.
    waits = []
    for n in range(10):
        here, there = (one, two) if n % 2 else (two, one)
        here.put("p0", price=f"{n}.50", stock=5)
        price = f"{n}.50"

        def shown(there=there, price=price):
            found = there.recommend("recently_viewed", visitor="v", fields="price")["items"]
            return any(item["product"].get("price") == price for item in found)

        waits.append(eventually(shown))
    # Placements.
    status, placement = one.call("GET", "/v1/placements/home")
    assert status == 200, placement
    for slots in (3, 5, 2):
        body = {**placement["placement"], "slots": slots}
        assert one.call("PUT", "/v1/placements/home", body)[0] == 200
        waits.append(eventually(lambda slots=slots: len(two.items("home")) == slots))
    # Rules: a draft is nowhere live, a published one is everywhere, and rolled back it is gone.
    hidden = {"where": "product.id == 'p1'", "effect": {"type": "filter", "mode": "never"}}
    assert one.call("PUT", "/v1/rules/hide", hidden)[0] == 200
    assert "p1" in two.items("recently_viewed", visitor="v")
    for step, gone in (("publish", True), ("rollback", False), ("publish", True)):
        assert one.call("POST", f"/v1/rules/hide/{step}")[0] == 200
        assert ("p1" not in one.items("recently_viewed", visitor="v")) is gone

        def followed(gone=gone):
            return ("p1" not in two.items("recently_viewed", visitor="v")) is gone

        waits.append(eventually(followed))
    # Tags, and the segments that follow from them.
    assert one.call("PUT", "/v1/segments/vips", {"when": "'vip' in visitor.tags"})[0] == 200
    assert one.call("PUT", "/v1/visitors/v/tags", {"tags": ["vip"]})[0] == 200

    def known():
        return "vips" in two.call("GET", "/v1/visitors/v")[1]["segments"]

    waits.append(eventually(known))
    with capsys.disabled():
        worst, median = max(waits), statistics.median(waits)
        print(f"\nseen elsewhere after: median {median * 1000:.0f} ms, max {worst * 1000:.0f} ms")
    assert len(waits) == 17
    assert statistics.median(waits) <= 1.0


def test_one_leads_and_all_swap_to_what_it_built(replicas):
    one, two = replicas.start(2, ENDCAP_BUILD_EVERY="1")
    for product in PRODUCTS:
        one.put(product, price="1.00", stock=5)
    for n in range(60):
        one.send(f"e{n}", f"v{n % 20}", PRODUCTS[n % 4], type="purchase", quantity=1)
    eventually(lambda: one.ready()[1]["snapshot"] and two.ready()[1]["snapshot"], 60)
    assert [c.ready()[1]["leads"] for c in (one, two)].count(True) == 1
    # The leader dies: the other one takes over.
    leader = 0 if one.ready()[1]["leads"] else 1
    other = (two, one)[leader]
    replicas.servers[leader].kill()
    eventually(lambda: other.ready()[1]["leads"], 40)


def test_roles_answer_their_own_part(replicas):
    (admin,) = replicas.start(1, "--role", "admin", ENDCAP_BUILD_EVERY="0")
    recommend, collect, worker = (
        replicas.start(1, "--role", role, ENDCAP_BUILD_EVERY="1")[0]
        for role in ("recommend", "collect", "worker")
    )
    for product in PRODUCTS:
        admin.put(product, price="1.00", stock=5)
    eventually(lambda: recommend.ready()[1]["products"] == len(PRODUCTS))
    assert collect.send("e", "v", "p3")[0] == 202
    assert recommend.items("recently_viewed", visitor="v") == ["p3"]
    assert recommend.send("f", "v", "p3")[0] == 404
    assert collect.call("GET", "/v1/recommendations/home")[0] == 404
    assert collect.call("GET", "/v1/products/p1")[0] == 404
    assert admin.call("GET", "/v1/products/p1")[0] == 200
    assert worker.call("GET", "/v1/recommendations/home")[0] == 404
    assert worker.call("GET", "/livez")[0] == 200
    assert not recommend.ready()[1]["leads"]
    eventually(lambda: worker.ready()[1]["leads"])
    eventually(lambda: recommend.ready()[1]["snapshot"], 60)


def test_roles_need_a_database_server():
    with pytest.raises(ConfigurationError, match="SQLite serves one"):
        duties(Settings(role="collect"), shared=False)


def test_a_stopping_replica_is_unready_first_and_goes_on_serving(replicas):
    (client,) = replicas.start(1, ENDCAP_DRAIN_SECONDS="1.5", ENDCAP_BUILD_EVERY="0")
    assert client.ready()[0] == 200
    server = replicas.servers[0]
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: client.ready()[0] == 503)
    assert client.ready()[1]["stopping"]
    assert client.send("late", "v", "p")[0] == 202
    assert client.call("GET", "/v1/recommendations/home")[0] == 200
    time.sleep(0.2)
    fresh = Client(client.url)
    assert fresh.send("later", "v", "p")[0] == 202
    fresh.connection.close()
    assert server.stop_when_done() == 0


def test_two_with_two_secrets_cannot_share_a_store(replicas, tmp_path):
    replicas.start(1, ENDCAP_BUILD_EVERY="0")
    other = Server(
        *("serve", "--port", 0, "--json"),
        env=replicas.environment | {"ENDCAP_DATA": str(tmp_path / "elsewhere")},
    )
    assert other.stop_when_done() == 2
    assert "ENDCAP_SECRET" in other.output[1]


@pytest.mark.parametrize("trouble", ["refuse", "hang"])
def test_answers_go_on_without_redis_and_say_so(replicas, servers, trouble):
    proxy = Proxy(servers["redis"].port)
    try:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        (client,) = replicas.start(1, ENDCAP_CACHE_URL=url, ENDCAP_BUILD_EVERY="0")
        client.put("p1", price="1.00", stock=5)
        client.put("p2", price="1.00", stock=5)
        client.send("a", "v", "p1")
        answer = client.recommend("recently_viewed", visitor="v")
        assert ([item["id"] for item in answer["items"]], answer["degraded"]) == (["p1"], [])
        proxy.set(trouble)
        assert client.send("b", "v", "p2")[0] == 202
        for _ in range(50):
            answer = client.recommend("recently_viewed", visitor="v")
            assert [item["id"] for item in answer["items"]] == ["p2", "p1"]
            assert answer["degraded"] == ["redis"]
        assert client.ready()[0] == 200
        proxy.set("pass")
        eventually(lambda: client.recommend("recently_viewed", visitor="v")["degraded"] == [], 5)
        assert client.items("recently_viewed", visitor="v") == ["p2", "p1"]
    finally:
        proxy.set("pass")
        proxy.close()


@pytest.mark.parametrize("replicas", ["postgresql", "mariadb", "mongodb"], indirect=True)
@pytest.mark.parametrize("trouble", ["refuse", "hang"])
def test_without_the_database_recommendations_go_on_and_nothing_is_acknowledged(replicas, trouble):
    url = urlsplit(replicas.environment["ENDCAP_STORE_URL"])
    proxy = Proxy(url.port)
    try:
        host = url.netloc.replace(f":{url.port}", f":{proxy.port}")
        # Else the driver finds the way past the proxy.
        query = "directConnection=true" if url.scheme == "mongodb" else ""
        address = urlunsplit(url._replace(netloc=host, query=query))
        replicas.environment["ENDCAP_STORE_URL"] = address
        (client,) = replicas.start(1, ENDCAP_BUILD_EVERY="0")
        client.put("p1", price="1.00", stock=5)
        client.put("p2", price="1.00", stock=5)
        client.send("a", "v", "p1")
        assert client.items("recently_viewed", visitor="v") == ["p1"]
        proxy.set(trouble)
        refused = 0
        for n in range(20):
            answer = client.recommend("recently_viewed", visitor="v")
            assert [item["id"] for item in answer["items"]] == ["p1"]
            assert answer["degraded"] == ["store"]
            assert client.recommend("home")["items"]
            if n % 10 == 0 and not (refused and trouble == "hang"):
                status, problem = client.send(f"down{n}", "v", "p2")
                assert status == 503, problem
                refused += 1
        assert refused == (1 if trouble == "hang" else 2)
        assert client.call("GET", "/livez")[0] == 200
        assert client.ready()[0] == 200
        assert client.ready()[1]["store"] != "ok"
        proxy.set("pass")

        def taken():
            return client.send("back", "v", "p2")[0] == 202

        eventually(taken, 40)
        eventually(lambda: client.items("recently_viewed", visitor="v")[0] == "p2")
        assert client.recommend("recently_viewed", visitor="v")["degraded"] == []
    finally:
        proxy.set("pass")
        proxy.close()
