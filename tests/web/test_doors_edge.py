"""What every answer has in common: problems, ids, methods, health, pages without other hosts."""

import re

import pytest

from door import open_door
from endcap.web.app import all_operations
from endcap.web.problems import known
from endcap.web.server import _bound

KEY = "a-key-of-enough-letters-to-be-taken"


def test_every_kind_of_error_has_a_page_that_says_what_to_do(door):
    codes = known()
    assert len(codes) >= 15
    for code, kind in codes.items():
        page = door.get(f"/docs/errors/{code}")
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/html")
        assert str(kind.status).encode() in page.body
        assert (kind.__doc__ or "").split()[0].encode() in page.body
    assert door.get("/docs/errors/none").status == 404


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/products/nothing", 404),
        ("GET", "/v1/recommendations/nothing", 404),
        ("POST", "/v1/products", 405),
        ("POST", "/v1/events", 400),
        ("POST", "/v1/products:import", 415),
        ("GET", "/v1/products?limit=0", 422),
        ("GET", "/docs/assets/..%2f..%2fapp.py", 404),
        ("GET", "/docs/assets/NOTICE", 404),
        ("GET", "//evil.example/%2e%2e", 404),
    ],
)
def test_every_error_is_a_problem_whose_type_opens(door, method, target, status):
    answer = door.call(method, target)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert door.get(problem["type"]).status == 200


def test_a_wrong_method_is_told_all_the_right_ones(door):
    by_path = {}
    for operation in all_operations():
        by_path.setdefault(operation.path, set()).add(operation.method)
    for path, methods in by_path.items():
        target = re.sub(r"{[^}]*}", "x", path)
        wrong = door.call("TRACE", target)
        assert wrong.status == 405, target
        named = set(wrong.headers["allow"].split(", "))
        expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        assert named == expected, target
        options = door.call("OPTIONS", target)
        assert (options.status, options.headers["allow"]) == (204, wrong.headers["allow"])


def test_a_request_id_is_kept_or_made(door):
    def given(value):
        return door.call("GET", "/livez", headers=[("x-request-id", value)]).headers["x-request-id"]

    assert given("abc-123") == "abc-123"
    assert re.fullmatch("[0-9a-f]{16}", given("has a space"))
    assert re.fullmatch("[0-9a-f]{16}", given("x" * 129))
    assert re.fullmatch("[0-9a-f]{16}", given("caf\u00e9"))


def test_health_says_alive_and_what_is_loaded(door):
    assert door.get("/livez").json() == {"alive": True}
    ready = door.get("/readyz")
    assert ready.status == 200
    assert ready.json()["products"] >= 6
    assert ready.json()["snapshot"]
    assert ready.json()["served_dropped"] == 0


def test_a_store_that_fails_is_503_for_events_and_named_by_readyz(tmp_path):
    with open_door(tmp_path) as door:
        store = door.installation.store
        with store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME TO hidden")
        event = {"event_id": "e", "type": "search", "visitor": "v", "query": "q"}
        refused = door.post("/v1/events", event)
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["code"] == "store_unavailable"
        # Recommendations go on from memory, so a process that makes them stays in the balancer.
        assert door.get("/readyz").status == 200
        assert "refused" in door.get("/readyz").json()["store"]
        assert door.get("/v1/recommendations/home").status == 200
        assert door.get("/livez").status == 200
        with store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO events")
        assert door.post("/v1/events", event).json()["accepted"] == 1
        assert door.get("/readyz").json()["store"] == "ok"


def test_the_docs_load_nothing_from_elsewhere(door):
    page = door.get("/docs")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    found = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert len(found) >= 4
    for target in found:
        assert target.startswith("/docs/assets/")
        asset = door.get(target)
        assert asset.status == 200
        assert len(asset.body) > 100
    assert door.get("/").headers["location"] == "/docs"


def test_every_answer_carries_the_safe_headers(door):
    for target in ("/livez", "/docs", "/v1/nothing", "/v1/placements"):
        headers = door.get(target).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"


def test_with_a_key_everything_but_health_and_docs_asks_for_it(tmp_path):
    with open_door(tmp_path, api_key=KEY) as door:
        for operation in all_operations():
            target = re.sub(r"{[^}]*}", "x", operation.path)
            answer = door.call(operation.method, target)
            if operation.scope == "open":
                assert answer.status in ((400, 401) if operation.method == "POST" else (200,))
            else:
                assert answer.status == 401, operation.id
                assert answer.headers["www-authenticate"] == "Bearer"
        good = [("authorization", f"Bearer {KEY}")]
        assert door.call("GET", "/v1/placements", headers=good).status == 200
        for bad in (f"Bearer {KEY}x", KEY, f"Basic {KEY}", "Bearer caf\u00e9"):
            assert (
                door.call("GET", "/v1/placements", headers=[("authorization", bad)]).status == 401
            )
        assert door.get("/docs").status == 200


def test_answers_do_not_wait_for_the_other_sides_acknowledgement():
    """Without TCP_NODELAY each answer on a kept connection takes some 40 ms."""
    import socket

    with _bound("127.0.0.1", 0) as bound:
        assert bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert bound.proto == socket.IPPROTO_TCP
