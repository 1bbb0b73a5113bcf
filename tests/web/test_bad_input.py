"""Hostile input: a clear refusal that names the field, never a 5xx, nothing lost.

The cases are in bad_input.json: anyone can add one. A case with `event` is sent as one of a batch
and must be rejected alone; the others say which answer they expect.
"""

import gzip
import json
from pathlib import Path

import pytest

CASES = json.loads(Path(__file__).with_name("bad_input.json").read_text("utf-8"))
REQUESTS = [case for case in CASES if "event" not in case]
EVENTS = [case for case in CASES if "event" in case]


def body_of(recipe):
    if "json" in recipe:
        return json.dumps(recipe["json"]).encode()
    if "hex" in recipe:
        return bytes.fromhex(recipe["hex"])
    if "gzip_zeros" in recipe:
        return gzip.compress(bytes(recipe["gzip_zeros"]))
    if "repeat" in recipe:
        before, unit, times, after = recipe["repeat"]
        closing = recipe.get("close", "") * times + recipe.get("end", "")
        return (before + unit * times + after + closing).encode()
    return recipe["text"].encode()


@pytest.fixture(scope="module")
def there(door):
    door.put_product("there", title="There")
    return door


def test_the_corpus_is_there():
    assert len(REQUESTS) >= 150
    assert len(EVENTS) >= 50
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case["name"])
def test_a_bad_request_is_refused_clearly(there, case):
    expect = case["expect"]
    unit, times = expect.get("repeat", ["", 0])
    path = case["path"].replace("{repeat}", unit * times)
    headers = [(name, value) for name, value in case.get("headers", [])]
    headers += [(f"x-{n}", "1") for n in range(expect.get("header_count", 0))]
    headers += [("x-long", "y" * size) for size in [expect.get("header_size", 0)] if size]
    answer = there.call(case["method"], path, body_of(case["body"]), headers)
    wanted = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
    assert answer.status in wanted, answer
    if answer.status == 202:
        assert answer.json()["rejected"] == 1
    if answer.status >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["detail"]
        assert problem["code"] == expect.get("code", problem["code"])
        if "pointer" in expect:
            assert next(e["pointer"] for e in problem["errors"]) == expect["pointer"], problem


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: case["name"])
def test_a_bad_event_is_rejected_alone_and_kept(there, case):
    log = there.installation.store.events
    before = log.dead_letters("default", 0, 1_000_000)
    good = [
        json.dumps(
            {"event_id": f"{case['name']}-{n}", "type": "search", "visitor": "v", "query": "q"}
        )
        for n in range(2)
    ]
    body = f'{{"events":[{good[0]},{case["event"]},{good[1]}]}}'.encode()
    answer = there.post("/v1/events", body)
    assert answer.status == 202, answer
    receipt = answer.json()
    counts = (receipt["accepted"], receipt["duplicates"], receipt["rejected"])
    assert counts == (2, 0, 1), receipt
    verdict = receipt["results"][1]
    assert verdict["status"] == "rejected"
    assert case["pointer"] in [error["pointer"] for error in verdict["errors"]], verdict
    kept = log.dead_letters("default", before[-1].seq if before else 0, 10)
    assert len(kept) == 1
    assert kept[0].reason
    assert kept[0].payload


def test_after_all_of_it_the_shop_still_builds_and_answers(there):
    there.build()
    assert there.shown("product", seed="mug", count=1) == ["plate"]


def test_a_body_that_never_ends_is_left_after_the_limit(there):
    """A gigabyte in pieces: the application takes no more than the limit and one piece."""
    from door import asgi_call

    piece = b"x" * 65_536
    endless = (piece for _ in range(16_384))
    answer = there.run(asgi_call(there.app, "POST", "/v1/events", (), endless))
    assert answer.status == 413
    assert answer.json()["code"] == "body_too_large"
    assert answer.headers["connection"] == "close"
    assert answer.read <= 4 * 2**20 + len(piece)


def test_a_body_that_breaks_off_is_refused_and_nothing_is_stored(there):
    """The sender goes away after the first half."""

    async def broken():
        answers = []
        messages = [
            {"type": "http.request", "body": b'{"events":[', "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive():
            return messages.pop(0)

        async def send(message):
            answers.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/events",
            "raw_path": b"/v1/events",
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "client": None,
            "server": None,
        }
        await there.app(scope, receive, send)
        return answers

    last = there.installation.store.events.last("default")
    assert there.run(broken())[0]["status"] == 400
    assert there.installation.store.events.last("default") == last
