"""Publishable keys: their origins, one visitor at a time, signed visitors, quotas; spam."""

import time

import pytest

from door import open_door
from endcap.access.visitor_tokens import new_visitor_token

KEY = "5f0c7a1e9b3d48a2b6c4e8f0d1a29374"
ROOT = ("authorization", f"Bearer {KEY}")
SHOP = ("origin", "https://shop.example.com")


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with open_door(folder, api_key=KEY, limit_address=0, limit_visitor=50) as opened:
        for product in ("mug", "plate"):
            opened.put_product(product, [ROOT], title=product, price="1.00")
        yield opened


def make(door, **fields):
    answer = door.post("/v1/keys", fields, [ROOT])
    assert answer.status == 201, answer
    return answer.json()


def auth(key):
    return ("authorization", f"Bearer {key['key']}")


@pytest.fixture(scope="module")
def key(door):
    return make(door, kind="publishable", origins=[SHOP[1]])


def event(visitor="v", **fields):
    return {"type": "view", "visitor": visitor, "product": "mug", **fields}


def post(door, headers, *events):
    return door.post("/v1/events", {"events": list(events)}, headers)


def test_it_works_from_its_origin_and_nowhere_else(door, key):
    answer = post(door, [auth(key), SHOP], event(event_id="o1"))
    assert answer.status == 202
    assert answer.headers["access-control-allow-origin"] == SHOP[1]
    assert "access-control-allow-credentials" not in answer.headers
    for origin in ("https://evil.example", "null", "http://shop.example.com", SHOP[1] + ".evil"):
        refused = post(door, [auth(key), ("origin", origin)], event())
        assert refused.status == 403
        assert "access-control-allow-origin" not in refused.headers
    assert post(door, [auth(key)], event()).status == 403
    target = f"/v1/recommendations/popular?key={key['key']}"
    assert door.call("GET", target, headers=[SHOP]).status == 200
    assert door.call("GET", f"/v1/products?key={key['key']}", headers=[SHOP]).status == 403


def test_the_preflight_names_what_may_be_sent(door, key):
    ask = ("access-control-request-method", "POST")
    good = door.call("OPTIONS", "/v1/events", headers=[SHOP, ask])
    assert good.status == 204
    assert good.headers["access-control-allow-origin"] == SHOP[1]
    assert "authorization" in good.headers["access-control-allow-headers"]
    bad = door.call("OPTIONS", "/v1/events", headers=[("origin", "https://evil.example"), ask])
    assert bad.status == 403
    other = door.call("OPTIONS", "/v1/products", headers=[SHOP, ask])
    assert "access-control-allow-origin" not in other.headers


def test_it_speaks_for_one_visitor_and_sees_no_trace(door, key):
    headers = [auth(key), SHOP]
    assert post(door, headers, event("a"), event("b")).status == 403
    two = {"requests": [{"placement": "popular", "visitor": v} for v in "ab"]}
    assert door.post("/v1/recommendations", two, headers).status == 403
    one = {"requests": [{"placement": "popular", "visitor": "a"}]}
    assert door.post("/v1/recommendations", one, headers).status == 200
    explained = "/v1/recommendations/popular?explain=true"
    assert door.call("GET", explained, headers=headers).status == 403


def test_a_browser_cannot_use_up_a_servers_event_ids(door, key):
    server = make(door, scopes=["events:write"])
    assert post(door, [auth(key), SHOP], event(event_id="order-1")).json()["accepted"] == 1
    assert post(door, [auth(server)], event(event_id="order-1")).json()["accepted"] == 1


def test_with_visitor_tokens_it_is_the_visitor_of_its_token_only(door):
    secret = make(door, scopes=["recommendations:read"])
    strict = make(door, kind="publishable", origins=[SHOP[1]], visitor_tokens=True)
    headers = [auth(strict), SHOP]
    assert post(door, headers, event("ann")).status == 403
    made = door.post("/v1/visitor-tokens", {"visitor": "ann"}, [auth(secret)]).json()
    mine = [*headers, ("x-visitor-token", made["token"])]
    assert post(door, mine, event("ann")).status == 202
    assert post(door, mine, event("bob")).status == 403
    shown = "/v1/recommendations/popular?visitor="
    assert door.call("GET", shown + "ann", headers=mine).status == 200
    assert door.call("GET", shown + "bob", headers=mine).status == 403
    forged = new_visitor_token("0" * 64, "bob", int(time.time()) + 60)
    for token in (forged, made["token"] + "x", made["token"].replace(".", "..", 1), ""):
        assert post(door, [*headers, ("x-visitor-token", token)], event("bob")).status == 401


def test_quotas_of_a_key_and_a_visitor(door):
    small = make(door, kind="publishable", origins=[SHOP[1]], per_minute=5)
    statuses = [post(door, [auth(small), SHOP], event()).status for _ in range(8)]
    assert statuses == [202] * 5 + [429] * 3
    big = make(door, kind="publishable", origins=[SHOP[1]])
    spam = [post(door, [auth(big), SHOP], *[event("spam")] * 20) for _ in range(6)]
    assert [a.status for a in spam] == [202, 202, 429, 429, 429, 429]
    assert int(spam[-1].headers["retry-after"]) >= 1
    # Others are not touched.
    assert post(door, [auth(big), SHOP], event("somebody else")).status == 202


def test_an_address_is_limited_whatever_it_says_of_itself(tmp_path):
    with open_door(tmp_path, api_key=KEY, limit_address=10) as door:
        key = make(door, kind="publishable", origins=[SHOP[1]])
        statuses = [
            post(door, [auth(key), SHOP, ("x-forwarded-for", f"10.0.0.{n}")], event(str(n))).status
            for n in range(20)
        ]
        assert statuses.count(202) == 10
    with open_door(tmp_path, api_key=KEY, limit_address=10, trusted_proxies="127.0.0.0/8") as door:
        key = make(door, kind="publishable", origins=[SHOP[1]])
        statuses = [
            post(door, [auth(key), SHOP, ("x-forwarded-for", f"10.0.0.{n}")], event(str(n))).status
            for n in range(20)
        ]
        assert statuses.count(202) == 20


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "publishable"},
        {"kind": "publishable", "origins": ["*"]},
        {"kind": "publishable", "origins": ["https://shop.example.com/path"]},
        {"kind": "publishable", "origins": [SHOP[1]], "scopes": ["catalogue:write"]},
        {"kind": "secret", "scopes": ["catalogue:read"], "origins": [SHOP[1]]},
        {"kind": "secret", "scopes": []},
        {"kind": "root", "scopes": ["catalogue:read"]},
        {"scopes": ["catalogue:read"], "shop": "other"},
        {"scopes": ["catalogue:read"], "is_admin": True},
        {"scopes": ["catalogue:read"], "digest": "0" * 64},
    ],
)
def test_keys_that_are_not_made(door, fields):
    assert door.post("/v1/keys", fields, [ROOT]).status == 422


def test_one_visitors_spam_moves_no_place_in_the_best_sellers(tmp_path):
    """A visitor with 3,000 events for one product, against 90 who each bought one thing."""
    with open_door(tmp_path) as door:
        products = [f"p{n}" for n in range(10)]
        for product in products:
            door.put_product(product, title=product, price="1.00")
        for n, product in enumerate(products[:9] * 10):
            line = {"id": product, "quantity": 1, "price": "1.00"}
            buy = {"type": "purchase", "visitor": f"v{n}", "products": [line]}
            door.send({"event_id": f"b{n}", **buy})
        door.build()
        before = door.shown("popular")
        kinds = ("view", "cart_add", "purchase")
        for n in range(3):
            spam = [
                {
                    "event_id": f"s{n}-{k}",
                    "type": kinds[k % 3],
                    "visitor": "bot",
                    "products": [{"id": "p9", "quantity": 100, "price": "1.00"}],
                }
                for k in range(1_000)
            ]
            assert door.send(*spam)["accepted"] == 1_000
        door.build()
        after = door.shown("popular")
        # 3,000 events of one visitor count as one visitor's: behind whoever has two buyers.
        assert [p for p in after if p != "p9"] == [p for p in before if p != "p9"]
        assert after.index("p9") == len(after) - 1 if "p9" in after else True
