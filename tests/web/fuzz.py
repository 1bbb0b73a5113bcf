"""Hostile requests made from the OpenAPI document: whole cases by schemathesis, and many cheap
mutations of each; every request is counted where the application receives it.
"""

# ruff: noqa: E501 - the tables of hostile values

import json
import random
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

from door import asgi_call

POISON = (
    None, True, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**40, 1.5, -0.0,
    1e308, 5e-324, "", " ", "a ", "\x00", "a\x00b", "\n", "\x1b[31m", "\u202e", "\ufeff", "\U0010ffff",
    "e\u0301", "\u00e9", "x" * 201, "x" * 70_000, "9,90", "NaN", "Infinity", "1e999999999", "-1", "٣",
    "1970-01-01", "2999-12-31T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999",
    "' OR 1=1 --", "<script>alert(1)</script>", "../../etc/passwd", "${7*7}", "javascript:alert(1)",
    "%00", "{}", [], {}, [[]], [None], {"$ne": None}, {"": ""}, ["a"] * 300, {"a": {"b": {"c": []}}},
)  # fmt: skip
RAW = (
    b"NaN", b"-Infinity", b"1e400", b'"\\ud800"', b'"\xff"', b"[" * 3_000, b"\x00", b"\xef\xbb\xbf{}", b"",
    b"01", b"'a'", b"{", b'{"a":1,"a":2}', b"1e-400", b'"\\u0000"', b"\xff\xfe{\x00}\x00",
)  # fmt: skip
HEADERS = (
    (b"content-encoding", b"gzip"), (b"content-encoding", b"br"), (b"content-length", b"\xb2"),
    (b"content-length", b"99999999999"), (b"content-type", b"text/plain"), (b"host", b"[::"),
    (b"content-type", b"application/json; charset=utf-16"), (b"if-match", b'"1"'), (b"if-match", b"*"),
    (b"if-match", b"\xff"), (b"if-match", b'"999999999999"'), (b"authorization", b"Bearer \xff"),
    (b"x-request-id", b"\r\n"), (b"accept", b"*/*;q=x"), (b"expect", b"100-continue"),
    (b"transfer-encoding", b"chunked"), (b"content-type", b"text/csv"), (b"cookie", b"a=\xff; ;=;"),
)  # fmt: skip


class Fuzz:
    """Sends requests to a door and keeps what failed; `counts` is by operation."""

    def __init__(self, door, chance):
        self.door = door
        self.chance = random.Random(chance)
        self.counts = {}
        self.statuses = {}
        self.failed = []
        document = door.get("/openapi.json").json()
        schema = schemathesis.openapi.from_dict(document)
        self.operations = [result.ok() for result in schema.get_all_operations()]

    @property
    def total(self):
        return sum(self.counts.values())

    def run(self, whole, mutations):
        """Send `whole` generated cases of each operation and kind, each with its mutations."""
        for number, operation in enumerate(self.operations):
            batch = self._generated(operation, whole, number)
            # Builds are slow and take nothing from the request: a few are enough.
            times = 1 if operation.path == "/v1/builds" else mutations
            self.door.run(self._all(operation.label, batch, times))

    def _generated(self, operation, whole, number):
        found = []
        for mode in schemathesis.GenerationMode:

            @seed(number)
            @settings(
                max_examples=whole,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            )
            @given(operation.as_strategy(generation_mode=mode))
            def keep(case):
                found.append(_request(case))

            try:
                keep()
            except Exception as error:  # an operation without input has no wrong input
                if type(error).__name__ != "Unsatisfiable":
                    raise
        return found

    async def _all(self, label, batch, mutations):
        for request in batch:
            await self._send(label, request)
            for _ in range(mutations):
                await self._send(label, self._mutated(request))

    async def _send(self, label, request):
        method, target, headers, body = request
        self.counts[label] = self.counts.get(label, 0) + 1
        answer = await asgi_call(self.door.app, method, target, headers, (body,))
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status >= 500 or not _sound(label, answer):
            self.failed.append((method, target[:300], headers, body[:300], answer))

    def _mutated(self, request):
        method, target, headers, body = request
        kind = self.chance.random()
        if kind < 0.55 and body:
            body = self._body(body)
        elif kind < 0.75:
            target = self._target(target)
        elif kind < 0.9:
            headers = [*headers, self.chance.choice(HEADERS)]
        else:
            body = self._body(body) if body else self.chance.choice(RAW)
            target = self._target(target)
        return method, target, headers, body

    def _body(self, body):
        kind = self.chance.random()
        if kind < 0.2:
            at = self.chance.randrange(len(body) + 1)
            return body[:at] + self.chance.choice(RAW) + body[at + self.chance.randrange(4) :]
        try:
            value = json.loads(body)
        except ValueError:
            return self.chance.choice(RAW) + body
        return json.dumps(self._changed(value)).encode()

    def _changed(self, value):
        """The value with one place, at any depth, replaced, removed, doubled or added."""
        if isinstance(value, dict) and value and self.chance.random() < 0.85:
            name = self.chance.choice(sorted(value))
            kind = self.chance.random()
            if kind < 0.1:
                return {k: v for k, v in value.items() if k != name}
            if kind < 0.2:
                return {**value, str(self.chance.choice(POISON)): self.chance.choice(POISON)}
            return {**value, name: self._changed(value[name])}
        if isinstance(value, list) and value and self.chance.random() < 0.85:
            at = self.chance.randrange(len(value))
            if self.chance.random() < 0.1:
                return [*value, *value]
            return [*value[:at], self._changed(value[at]), *value[at + 1 :]]
        return self.chance.choice(POISON)

    def _target(self, target):
        path, _, query = target.partition(b"?")
        text = str(self.chance.choice(POISON)).encode("utf-8", "replace")
        kind = self.chance.random()
        if kind < 0.3:
            head, _, _ = path.rpartition(b"/")
            return head + b"/" + quote(text[:300]).encode() + (b"?" + query if query else b"")
        if kind < 0.4:
            return path + self.chance.choice(
                (b"/", b"%", b"%zz", b"%ff", b"/..", b"//", b"%2f", b";a")
            )
        names = [
            b"limit",
            b"cursor",
            b"count",
            b"visitor",
            b"seed",
            b"fields",
            b"version",
            b"explain",
        ]
        names += [part.partition(b"=")[0] for part in query.split(b"&") if part]
        value = self.chance.choice(
            (quote(text[:500]).encode(), b"%ff", b"%00", b"%ed%a0%80", b"\xff")
        )
        return path + b"?" + query + b"&" * bool(query) + self.chance.choice(names) + b"=" + value


def _request(case):
    """A generated case as the bytes of a request."""
    known = case.as_transport_kwargs(base_url="http://x")
    headers = [
        (name.lower().encode("latin-1", "replace"), str(value).encode("utf-8", "surrogateescape"))
        for name, value in (known.get("headers") or {}).items()
    ]
    target = known["url"].removeprefix("http://x")
    pairs = [
        f"{quote(str(name), errors='replace')}={quote(str(one), errors='replace')}"
        for name, value in (known.get("params") or {}).items()
        for one in (value if isinstance(value, list) else [value])
    ]
    if pairs:
        target += "?" + "&".join(pairs)
    body = known.get("data") or known.get("content") or b""
    if "json" in known:
        body = json.dumps(known["json"]).encode()
    body = body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")
    return case.method, target.encode("utf-8", "replace"), headers, body


def _sound(label, answer):
    """A refusal is a problem (RFC 6749 has its own form); a receipt adds up."""
    if "/oauth/" in label and b'"error"' in answer.body:
        return answer.json()["error"]
    if answer.status >= 400:
        problem = answer.json()
        return answer.headers["content-type"] == "application/problem+json" and problem["detail"]
    if answer.status == 202 and b'"results"' in answer.body:
        receipt = answer.json()
        parts = receipt["accepted"] + receipt["duplicates"] + receipt["rejected"]
        return parts == len(receipt["results"])
    return True
