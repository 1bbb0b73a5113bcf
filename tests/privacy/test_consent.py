"""Consent: what is not allowed is not read, not kept, and changes no answer."""

import pytest

from door import open_door


@pytest.fixture
def door(tmp_path):
    with open_door(tmp_path) as opened:
        for product in ("mug", "plate", "lamp"):
            opened.put_product(product, title=product, price="1.00")
        yield opened


def watch(door):
    """Count how often a profile is read."""
    visitors = door.installation.recommender._visitors
    reads = []
    inner = visitors.recent

    async def recent(shop, visitor):
        reads.append(visitor)
        return await inner(shop, visitor)

    visitors.recent = recent
    return reads


def slate(door, visitor, headers=(), **query):
    target = "/v1/recommendations/home?" + "&".join(
        f"{k}={v}" for k, v in {"visitor": visitor, **query}.items()
    )
    answer = door.call("GET", target, headers=headers)
    assert answer.status == 200, answer
    body = answer.json()
    return [(i["id"], i["score"], [r["code"] for r in i["reasons"]]) for i in body["items"]]


def live(door, visitor="ann"):
    for n, product in enumerate(("mug", "mug", "plate")):
        event = {"event_id": f"{visitor}{n}", "type": "view", "visitor": visitor}
        door.send({**event, "product": product})


def choose(door, visitor, **choices):
    answer = door.call("PUT", f"/v1/visitors/{visitor}/consent", choices)
    assert answer.status == 200, answer
    return answer.json()


def test_without_consent_the_answer_is_a_strangers_and_no_profile_is_read(door):
    live(door)
    own, stranger = slate(door, "ann"), slate(door, "never seen")
    assert own != stranger
    reads = watch(door)
    ways = [{"personalization": "off"}, {"consent": "personalisation:denied"}]
    for query in ways:
        for _ in range(50):
            assert slate(door, "ann", **query) == stranger
    choose(door, "ann", personalisation="denied")
    for _ in range(100):
        assert slate(door, "ann") == stranger
    # A denial that is kept cannot be talked away by a request.
    assert slate(door, "ann", consent="personalisation:granted") == stranger
    body = {"requests": [{"placement": "home", "visitor": "ann", "count": 3}]}
    door.post("/v1/recommendations", body)
    assert reads == []
    choose(door, "ann", personalisation="granted")
    assert slate(door, "ann") == own
    assert len(reads) == 1


def test_where_consent_comes_first_silence_is_a_no(tmp_path):
    with open_door(tmp_path, consent_unknown="denied") as door:
        for product in ("mug", "plate", "lamp"):
            door.put_product(product, title=product, price="1.00")
        live(door)
        reads = watch(door)
        stranger = slate(door, "never seen")
        assert slate(door, "ann") == stranger
        assert reads == []
        events = door.installation.store.events.after("default", 0, 100)
        assert {e.visitor for e in events} == {""}
        choose(door, "bob", analytics="granted", personalisation="granted")
        live(door, "bob")
        assert slate(door, "bob") != stranger


def test_without_analytics_events_are_kept_under_nobody(door):
    event = {"event_id": "1", "type": "search", "visitor": "ann", "query": "her words"}
    answer = door.call(
        "POST",
        "/v1/events?consent=analytics:denied",
        {"events": [{**event, "session": "s"}]},
    )
    assert answer.json()["accepted"] == 1
    (kept,) = door.installation.store.events.after("default", 0, 10)
    assert (kept.visitor, kept.session, kept.query) == ("", None, None)


def test_global_privacy_control_is_kept_and_echoed(door):
    gpc = [("sec-gpc", "1")]
    answer = door.call("GET", "/v1/recommendations/home?visitor=ann", headers=gpc)
    assert answer.headers["sec-gpc"] == "1"
    consent = door.get("/v1/visitors/ann/consent").json()
    assert consent["consent"]["sharing"] == "denied"
    event = {"events": [{"type": "view", "visitor": "bob", "product": "mug", "event_id": "b"}]}
    assert door.post("/v1/events", event, gpc).headers["sec-gpc"] == "1"
    assert door.get("/v1/visitors/bob/consent").json()["consent"]["sharing"] == "denied"
    assert "sec-gpc" not in door.get("/v1/recommendations/home").headers
    # Sent again it makes no new version.
    door.call("GET", "/v1/recommendations/home?visitor=ann", headers=gpc)
    assert door.get("/v1/visitors/ann/consent").json()["version"] == consent["version"]


@pytest.mark.parametrize("text", ["x", "analytics", "analytics:maybe", "a:granted", ",", ""])
def test_consent_that_cannot_be_read_is_refused(door, text):
    answer = door.get("/v1/recommendations/home", consent=text)
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/consent"


def test_what_is_left_out_stays_as_it_was(door):
    choose(door, "ann", analytics="granted", sharing="denied")
    view = choose(door, "ann", personalisation="denied")
    assert view["consent"] == {
        "analytics": "granted",
        "personalisation": "denied",
        "sharing": "denied",
    }
    assert view["version"] == 2
    assert door.call("PUT", "/v1/visitors/ann/consent", {"email": "denied"}).status == 422


def test_each_kind_is_kept_as_long_as_it_may_be(tmp_path):
    class Clock:
        now = 1_782_000_000_000

        def __call__(self):
            return self.now

    clock = Clock()
    with open_door(tmp_path, clock=clock) as door:
        door.put_product("mug", title="mug", price="1.00")
        door.send({"event_id": "1", "type": "view", "visitor": "ann", "product": "mug"})
        door.send({"event_id": "2", "type": "view", "visitor": "ann", "product": ""})
        door.get("/v1/recommendations/home", visitor="ann")
        door.run(door.installation.served.flush())
        door.build()
        log, retention = door.installation.store.events, door.installation.erasing.retention
        day = 86_400_000

        def kept():
            door.run(retention.run_once("default"))
            types = [e.type for e in log.after("default", 0, 10)]
            return types, len(log.dead_letters("default", 0, 10))

        assert kept() == (["view", "served"], 1)
        clock.now += 15 * day
        assert kept() == (["view", "served"], 0)
        clock.now += 16 * day
        assert kept() == (["view"], 0)
        clock.now += 365 * day
        assert kept() == ([], 0)
        archive = next((tmp_path / "archive").iterdir())
        assert list(archive.glob("day=*")) == []


def merge(door, browser, customer):
    return door.post("/v1/visitors:merge", {"from": browser, "to": customer})


def merges(door):
    return [
        e for e in door.installation.store.events.after("default", 0, 1_000) if e.type == "merge"
    ]


def test_a_merge_asks_both_visitors(door):
    live(door, "browser")
    choose(door, "denies", analytics="denied")
    for browser, customer in (("denies", "ann"), ("browser", "denies")):
        assert merge(door, browser, customer).json() == {"merged": False}
    assert merges(door) == []
    pseudonyms, gate = door.installation.recommender._pseudonyms, door.installation.gate
    gone = ("default", pseudonyms.visitor("default", "gone"))
    gate.suppressed.add(gone)
    for answer in (
        merge(door, "gone", "ann"),
        merge(door, "browser", "gone"),
        door.get("/v1/visitors/gone/profile"),
        door.call("PATCH", "/v1/visitors/gone/profile", {"muted": ["brand:x"]}),
        door.call("PUT", "/v1/visitors/gone/consent", {"sharing": "denied"}),
    ):
        assert (answer.status, answer.json()["code"]) == (409, "visitor_erased")
    assert merges(door) == []
    gate.suppressed.discard(gone)
    assert merge(door, "browser", "ann").json() == {"merged": True}
    assert len(merges(door)) == 2
    assert slate(door, "ann") != slate(door, "never seen")


def test_a_merge_that_races_with_an_erasure_ties_nobody(door):
    """The erasure begins while the merge looks at consent: it is refused all the same."""
    gate = door.installation.gate
    pseudonyms = door.installation.recommender._pseudonyms
    name = ("default", pseudonyms.visitor("default", "ann"))
    inner, asked = gate.allowed, []

    async def allowed(shop, visitor, consent):
        answer = await inner(shop, visitor, consent)
        asked.append(visitor)
        if len(asked) == 2:
            gate.suppressed.add(name)
        return answer

    gate.allowed = allowed
    assert merge(door, "browser", "ann").status == 409
    assert len(asked) == 2
    assert merges(door) == []
