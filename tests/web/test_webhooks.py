"""Webhooks from the event to the receiver: signed, at least once, retried, dead, replayed."""

import json
import time

import pytest

from door import open_door
from endcap.access.webhooks import new_webhook_secret, signatures
from endcap.core.errors import StoreUnavailable
from endcap.core.times import DAY, HOUR
from endcap.services.outbox import LOGGED, MOST_WAITING, PAUSES, WAITING
from receiver import receiving, verified
from server import serving

SPOT = {"slots": 3, "fallback": [{"retriever": "popular"}]}


class Clock:
    moved = 0

    def __call__(self):
        return time.time_ns() // 1_000_000 + self.moved


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


def opened(tmp_path, receiver, clock=None, **settings):
    return open_door(tmp_path, clock=clock or Clock(), private_hosts=receiver.host, **settings)


def make(door, url, *events, **fields):
    answer = door.post("/v1/webhooks", {"url": url, "events": list(events or ["*"]), **fields})
    assert answer.status == 201, answer
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def deliver(door, shop="default"):
    return door.run(door.installation.noticing.deliverer.once(shop))


def deliveries(door, hook, **query):
    answer = door.get(f"/v1/webhooks/{hook['id']}/deliveries", **query)
    assert answer.status == 200, answer
    return answer.json()["data"]


def sent(receiver):
    return [json.loads(body) for _, body in receiver.got]


def test_the_signature_is_that_of_the_specification():
    # The example of the specification's own libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signatures([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    fresh = new_webhook_secret()
    assert len(signatures([fresh, secret], "m", 1, b"x").split(" ")) == 2


def test_each_thing_that_happens_is_told_once_and_signed(tmp_path, receiver):
    with opened(tmp_path, receiver, low_stock=5) as door:
        hook = make(door, receiver.url)
        assert hook["secret"].startswith("whsec_")
        assert "secret" not in door.get(f"/v1/webhooks/{hook['id']}").json()
        door.put_product("p", stock=9)
        door.put_product("q", stock=2)  # new with little: it did not fall
        door.put_product("p", stock=6)
        door.put_product("p", stock=5)
        door.put_product("p", stock=4)  # was low already
        rule = {"effect": {"type": "boost", "factor": 2}, "where": "product.price > 1.0"}
        assert door.call("PUT", "/v1/rules/r", rule).status == 200
        assert door.post("/v1/rules/r/publish").status == 200
        assert door.call("PUT", "/v1/placements/spot", SPOT).status == 200
        trial = {
            "title": "t",
            "placements": ["spot"],
            "variants": [{"name": "a"}, {"name": "b", "changes": {"slots": 2}}],
        }
        assert door.call("PUT", "/v1/experiments/e", trial).status == 200
        assert door.post("/v1/experiments/e/start").status == 200
        assert door.post("/v1/experiments/e/stop").status == 200
        door.build()
        door.send({"event_id": "1", "type": "view", "visitor": "v", "product": "p"})
        erasure = door.call("DELETE", "/v1/visitors/v").json()
        door.run(door.installation.erasing.erasures.finished("default"))
        assert deliver(door) == len(receiver.got)
        assert [m["type"] for m in sent(receiver)] == [
            "stock.low",
            "rule.published",
            "placement.changed",
            "experiment.started",
            "experiment.stopped",
            "snapshot.built",
            "snapshot.built",  # of the erasure
            "erasure.verified",
        ]
        assert sent(receiver)[0]["data"]["products"] == [{"id": "p", "stock": 5}]
        told = sent(receiver)[-1]["data"]
        assert told["id"] == erasure["id"]
        assert told["state"] == "verified"
        assert len(told["receipt"]) == 64
        assert b'"v"' not in receiver.got[-1][1]
        for headers, body in receiver.got:
            assert verified(hook["secret"], headers, body)
            assert not verified(hook["secret"], headers, body + b" ")
            assert not verified(new_webhook_secret(), headers, body)
        assert deliver(door) == 0
        assert {d["state"] for d in deliveries(door, hook)} == {"delivered"}
        ids = [d["id"] for d in deliveries(door, hook)]
        assert len(set(ids)) == 8
        assert ids == [h["webhook-id"] for h, _ in receiver.got][::-1]


def test_only_what_was_asked_for_is_sent(tmp_path, receiver):
    with opened(tmp_path, receiver) as door:
        make(door, receiver.url, "placement.changed")
        other = make(door, receiver.url, "rule.published")
        door.call("PUT", "/v1/placements/spot", SPOT)
        door.call("DELETE", "/v1/placements/spot")
        assert deliver(door) == 2
        assert [m["data"]["deleted"] for m in sent(receiver)] == [False, True]
        assert deliveries(door, other) == []


def test_a_failing_receiver_is_tried_again_later_and_given_up_in_the_end(tmp_path, receiver):
    clock = Clock()
    with opened(tmp_path, receiver, clock) as door:
        hook = make(door, receiver.url)
        receiver.statuses[:] = [500, 302, 404, 503, 500, 429, 500, 500, 500]
        receiver.more_headers = [("location", "http://127.0.0.1:9/")]
        assert door.post(f"/v1/webhooks/{hook['id']}/test").status == 202
        for pause in PAUSES[1:]:
            deliver(door)
            assert deliver(door) == 0  # not before its time
            clock.moved += pause
        deliver(door)
        (dead,) = deliveries(door, hook)
        assert dead["state"] == "dead"
        assert [a["status"] for a in dead["attempts"]] == [500, 302, 404, 503, 500, 429, 500, 500]
        assert len(receiver.got) == dead["tries"] == len(PAUSES) == 8
        assert len({h["webhook-id"] for h, _ in receiver.got}) == 1
        clock.moved += DAY
        assert deliver(door) == 0
        assert deliveries(door, hook, state="waiting") == []
        assert len(deliveries(door, hook, state="dead")) == 1
        # Replayed by hand: the same id, and a fresh time and signature.
        receiver.statuses[:] = []
        target = f"/v1/webhooks/{hook['id']}/deliveries/{dead['id']}/replay"
        assert door.post(target).json()["state"] == "waiting"
        assert door.post(target).status == 404  # it waits already
        assert deliver(door) == 1
        headers, body = receiver.got[-1]
        assert headers["webhook-id"] == dead["id"]
        assert verified(hook["secret"], headers, body, clock() / 1_000)
        assert [d["state"] for d in deliveries(door, hook)] == ["delivered"]


def test_nothing_is_lost_while_nobody_delivers_and_after_a_restart(tmp_path, receiver):
    with opened(tmp_path, receiver) as door:
        hook = make(door, receiver.url)
        for n in range(20):
            door.call("PUT", f"/v1/placements/spot-{n}", SPOT)
        assert door.get("/v1/webhooks").json()[0]["waiting"] == 20
    with opened(tmp_path, receiver, serving=True) as door:
        for _ in range(200):
            if len(receiver.got) == 20:
                break
            time.sleep(0.05)
        time.sleep(0.1)
        assert len({h["webhook-id"] for h, _ in receiver.got}) == len(receiver.got) == 20
        assert [m["data"]["placement"] for m in sent(receiver)] == [f"spot-{n}" for n in range(20)]
        assert door.get(f"/v1/webhooks/{hook['id']}").json().get("waiting", 0) == 0


def test_a_process_killed_between_sending_and_noting_it_sends_again(tmp_path, receiver):
    with opened(tmp_path, receiver) as door:
        hook = make(door, receiver.url)
        door.post(f"/v1/webhooks/{hook['id']}/test")
        outbox, store = door.installation.noticing.webhooks.outbox, door.installation.store
        deliver(door)
        # As the kill leaves it: logged, and still waiting.
        (record,) = store.control.latest("default", LOGGED)
        delivery = json.loads(record.body) | {"state": "waiting"}
        body = json.dumps(delivery).encode()
        import msgspec

        name = f"{hook['id']}~{delivery['id']}"
        kept = msgspec.structs.replace(record, kind=WAITING, name=name, body=body)
        store.control.put("default", kept, None)
        assert deliver(door) == 1
        assert len(receiver.got) == 2
        assert len({h["webhook-id"] for h, _ in receiver.got}) == 1
        assert len(deliveries(door, hook)) == 1
        assert door.run(outbox.counts("default")) == {}


def test_pages_of_the_log_leave_nothing_out(tmp_path, receiver):
    clock = Clock()
    with opened(tmp_path, receiver, clock) as door:
        hook, other = make(door, receiver.url), make(door, receiver.url)
        for n in range(9):
            clock.moved += 10
            for one in (hook, other):
                door.post(f"/v1/webhooks/{one['id']}/test")
            if n < 7:
                deliver(door)
        whole = [d["id"] for d in deliveries(door, hook)]
        assert len(whole) == 9
        found, cursor = [], ""
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = door.get(f"/v1/webhooks/{hook['id']}/deliveries", **query).json()
            found += [d["id"] for d in page["data"]]
            cursor = page["next_cursor"]
            assert page["has_more"] == bool(cursor)
            if not cursor:
                break
        assert found == whole
        strange = door.get(f"/v1/webhooks/{hook['id']}/deliveries", cursor=f"{other['id']}~0")
        assert strange.status == 422
        clock.moved += 31 * DAY
        assert door.run(door.installation.noticing.webhooks.outbox.sweep("default")) == 14


def test_a_new_secret_signs_beside_the_old_one_for_a_day(tmp_path, receiver):
    clock = Clock()
    with opened(tmp_path, receiver, clock) as door:
        hook = make(door, receiver.url)
        fresh = door.post(f"/v1/webhooks/{hook['id']}/secrets").json()["secret"]
        for moved, old_counts in ((0, True), (25 * HOUR, False)):
            clock.moved = moved
            door.post(f"/v1/webhooks/{hook['id']}/test")
            deliver(door)
            headers, body = receiver.got[-1]
            assert verified(fresh, headers, body, clock() / 1_000)
            assert verified(hook["secret"], headers, body, clock() / 1_000) == old_counts
        store = door.installation.store
        kept = b"".join(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())
        for secret in (fresh, hook["secret"]):
            assert secret.removeprefix("whsec_").encode() not in kept
        assert store.control.latest("default", "webhook")


def test_gone_switches_off_and_disabled_gets_nothing(tmp_path, receiver):
    with opened(tmp_path, receiver) as door:
        hook = make(door, receiver.url)
        receiver.statuses[:] = [410]
        door.post(f"/v1/webhooks/{hook['id']}/test")
        deliver(door)
        view = door.get(f"/v1/webhooks/{hook['id']}").json()
        assert view["disabled"]
        assert "410" in view["reason"]
        assert door.post(f"/v1/webhooks/{hook['id']}/test").status == 422
        door.call("PUT", "/v1/placements/spot", SPOT)
        assert deliver(door) == 0
        on = door.call("PATCH", f"/v1/webhooks/{hook['id']}", {"disabled": False}).json()
        assert not on["disabled"]
        assert "reason" not in on
        assert door.call("DELETE", f"/v1/webhooks/{hook['id']}").status == 204
        assert door.get("/v1/webhooks").json() == []
        store = door.installation.store
        assert [store.control.latest("default", k) for k in (WAITING, LOGGED)] == [[], []]


def test_what_cannot_be_a_webhook_is_refused_by_field(tmp_path, receiver):
    with opened(tmp_path, receiver) as door:
        bad = [
            ({"url": "http://hooks.example.com/"}, "/url"),
            ({"url": "https://127.0.0.1/"}, "/url"),
            ({"url": "https://169.254.169.254/latest/"}, "/url"),
            ({"url": f"http://localhost:{receiver.server_port}/"}, "/url"),
            ({"url": receiver.url, "events": ["rule.drafted"]}, "/events/0"),
            ({"url": receiver.url, "events": []}, "/events"),
            ({"url": receiver.url, "title": "a\nb"}, "/title"),
            ({"url": receiver.url, "secret": "mine"}, "/secret"),
        ]
        for body, pointer in bad:
            answer = door.post("/v1/webhooks", body)
            assert answer.status == 422, answer
            assert pointer in str(answer.json()["errors"]), (pointer, answer)
        assert door.get("/v1/webhooks").json() == []
        for method, path in (
            ("GET", "/v1/webhooks/wh_x"),
            ("DELETE", "/v1/webhooks/wh_x"),
            ("POST", "/v1/webhooks/wh_x/test"),
            ("GET", "/v1/webhooks/wh_x/deliveries"),
            ("POST", "/v1/webhooks/wh_x/deliveries/y/replay"),
        ):
            assert door.call(method, path).status == 404


def test_an_address_that_turned_private_is_not_called(tmp_path, receiver):
    """Allowed when it was made, not any more when it is sent: the rule counts at sending."""
    with opened(tmp_path, receiver) as door:
        hook = make(door, receiver.url)
    with open_door(tmp_path, private_hosts="") as door:
        door.post(f"/v1/webhooks/{hook['id']}/test")
        deliver(door)
        (waiting,) = deliveries(door, hook)
        assert waiting["state"] == "waiting"
        assert "https" in waiting["attempts"][0]["problem"]
    assert receiver.got == []


def test_too_many_waiting_are_dead_and_can_be_replayed(tmp_path, receiver, monkeypatch):
    monkeypatch.setattr("endcap.services.outbox.MOST_WAITING", 3)
    assert MOST_WAITING == 1_000
    with opened(tmp_path, receiver) as door:
        hook = make(door, receiver.url)
        for _ in range(5):
            door.post(f"/v1/webhooks/{hook['id']}/test")
        states = [d["state"] for d in deliveries(door, hook)]
        assert (states.count("waiting"), states.count("dead")) == (3, 2)


def test_a_hung_receiver_holds_up_nobody_else(tmp_path, receiver):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        hosts = f"{receiver.host},127.0.0.1:{port}"
        with open_door(tmp_path, private_hosts=hosts, serving=True) as door:
            slow = make(door, f"http://127.0.0.1:{port}/")
            quick = make(door, receiver.url)
            for _ in range(3):
                for hook in (slow, quick):
                    door.post(f"/v1/webhooks/{hook['id']}/test")
            for _ in range(200):
                if len(receiver.got) == 3:
                    break
                time.sleep(0.05)
            assert len(receiver.got) == 3
            assert len(deliveries(door, slow, state="waiting")) == 3


def test_a_feed_is_fetched_by_its_address(tmp_path, receiver):
    import gzip

    feed = b"id,title,price\na,Apple,1.00\nb,Pear,2.00\n"
    receiver.files = {
        "/feed.csv": (feed, "text/csv; charset=utf-8"),
        "/feed.gz": (gzip.compress(feed), "application/gzip"),
        "/bomb.gz": (gzip.compress(b"x" * 10_000_000), "text/csv"),
        "/page": (b"<html>", "text/html"),
    }
    start = f"http://{receiver.host}"
    with opened(tmp_path, receiver, max_import_body=1_000_000) as door:
        imported = "/v1/products:import"
        got = door.call("POST", imported, url=start + "/feed.csv")
        assert got.status == 200, got
        assert got.json()["written"] == 2
        packed = door.call("POST", imported, url=start + "/feed.gz", format="csv")
        assert packed.json()["written"] == 2
        assert door.get("/v1/products/b").status == 200
        for url, status in (
            (start + "/bomb.gz", 413),
            (start + "/page", 415),
            (start + "/missing", 424),
            ("http://127.0.0.1:9/feed.csv", 422),
            ("https://169.254.169.254/feed.csv", 422),
            ("file:///etc/passwd", 422),
        ):
            assert door.call("POST", imported, url=url).status == status, url
        both = door.call("POST", imported, b"id\nx\n", [("content-type", "text/csv")], url=start)
        assert both.status == 422


def test_killed_between_notice_and_delivery_it_arrives_all_the_same(tmp_path, receiver):
    """The real program, killed with SIGKILL while the receiver fails; the next start delivers."""
    from urllib.request import Request, urlopen

    receiver.statuses[:] = [500] * 3
    env = {"ENDCAP_PRIVATE_HOSTS": receiver.host}

    def post(url, body):
        request = Request(url, json.dumps(body).encode(), method="POST")
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    with serving(tmp_path, env=env) as (server, url):
        hook = post(url + "/v1/webhooks", {"url": receiver.url})
        made = post(f"{url}/v1/webhooks/{hook['id']}/test", {})
        for _ in range(200):
            if receiver.got:
                break
            time.sleep(0.05)
        server.kill()
    receiver.statuses[:] = []
    with serving(tmp_path, env=env):
        for _ in range(200):
            if len(receiver.got) > 1:
                break
            time.sleep(0.1)
    assert {h["webhook-id"] for h, _ in receiver.got} == {made["id"]}
    assert len(receiver.got) >= 2


def test_an_erasure_that_does_not_go_on_is_an_alert_once(tmp_path, receiver, monkeypatch):
    monkeypatch.setattr("endcap.services.erasure.PATIENCE", 0.05)
    with opened(tmp_path, receiver) as door:
        make(door, receiver.url, "alert.raised", "erasure.verified")
        erasures = door.installation.erasing.erasures
        place, failures = erasures._places[0], []
        inner = place.remove

        async def remove(shop, visitors):
            if len(failures) < 4:
                failures.append(visitors)
                raise StoreUnavailable("the disk is full")
            return await inner(shop, visitors)

        monkeypatch.setattr(place, "remove", remove)
        erasure = door.call("DELETE", "/v1/visitors/v").json()
        door.run(erasures.finished("default"))
        deliver(door)
        assert [m["type"] for m in sent(receiver)] == ["alert.raised", "erasure.verified"]
        told = sent(receiver)[0]["data"]
        assert (told["alert"], told["erasure"]) == ("erasure_waits", erasure["id"])
        assert told["problem"] == "the disk is full"
        assert len(failures) == 4
