"""Logs, errors and metrics carry nothing of a person and no secret, whatever happens."""

import logging
import re

import pytest

from door import open_door
from endcap.web import problems
from endcap.web.app import all_operations

KEY = "5f0c7a1e9b3d48a2b6c4e8f0d1a29374"
CANARY = "canary.person@example.com"
CARD = "4111111111111111"
SECRET = "rk_sec_" + "Q" * 65
NEEDLES = (CANARY, CARD, SECRET, KEY)


class Everything(logging.Handler):
    """Keeps all that is logged, as a formatter would print it."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record):
        extra = {k: v for k, v in vars(record).items() if isinstance(v, str)}
        self.lines.append(self.format(record) + repr(extra))


@pytest.fixture
def logged():
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    # What asyncio and the store's driver say at DEBUG is theirs, and never printed by the server.
    for name in ("asyncio", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(level)


def filled(value):
    """A body with canaries in all of its texts."""
    if isinstance(value, dict):
        return {k: filled(v) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v) for v in value]
    return f"{CANARY} {CARD}" if isinstance(value, str) else value


def call_all(door):
    headers = [
        ("authorization", f"Bearer {KEY}"),
        ("cookie", f"endcap_session={SECRET}"),
        ("user-agent", CANARY),
        ("x-forwarded-for", CANARY),
    ]
    asked = 0
    for operation in all_operations():
        path = re.sub(r"\{[^}]+\}", CANARY, operation.path)
        query = "&".join(f"{name}={CANARY}" for name in operation.query_names)
        for body in (operation.body_example, filled(operation.body_example), {"x": CANARY}):
            for target in (path, f"{path}?{query}"):
                answer = door.call(operation.method, target, body, headers)
                assert answer.status < 600
                asked += 1
        bad = [("authorization", f"Bearer {SECRET}")]
        door.call(operation.method, path, headers=bad)
    return asked


def test_no_operation_logs_a_canary(tmp_path, logged):
    with open_door(tmp_path, api_key=KEY) as door:
        asked = call_all(door)
        door.run(door.installation.erasing.erasures.finished("default"))
        door.run(door.installation.builds.finished("default"))
    assert asked >= 6 * 40
    for needle in NEEDLES:
        assert [line for line in logged if needle in line] == []


def test_an_error_nobody_expected_logs_where_but_not_what(tmp_path, logged):
    with open_door(tmp_path) as door:
        collector = door.installation.collector

        async def explode(*_, **__):
            raise RuntimeError(f"{CANARY} {CARD} {SECRET}")

        door.installation.recommender.recommend_json = explode
        collector.collect = explode
        event = {"events": [{"type": "view", "visitor": CANARY, "product": "p"}]}
        for answer in (
            door.post("/v1/events", event),
            door.get("/v1/recommendations/popular", visitor=CANARY),
        ):
            assert answer.status == 500
            assert answer.json()["code"] == "internal_error"
            for needle in NEEDLES:
                assert needle.encode() not in answer.body
    errors = [line for line in logged if "request failed" in line]
    assert len(errors) == 2
    assert all("RuntimeError" in line and "explode" in line for line in errors)
    for needle in NEEDLES:
        assert [line for line in logged if needle in line] == []


def test_health_and_error_pages_tell_no_secret(tmp_path):
    with open_door(tmp_path, api_key=KEY) as door:
        for target in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs"):
            body = door.get(target).body
            assert KEY.encode() not in body
        for code in problems.known():
            assert door.get(f"/docs/errors/{code}").status == 200
