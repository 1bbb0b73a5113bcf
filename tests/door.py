"""The whole server in this process: real services on a real store, called without a socket."""

import asyncio
import json
import threading
from contextlib import contextmanager
from urllib.parse import quote, unquote, urlencode

from endcap.fresh import system_clock
from endcap.serving import app_services
from endcap.settings import read_settings
from endcap.web.app import create_app
from endcap.wiring import open_installation


class Answer:
    """What came back."""

    def __init__(self, status, headers, body, read):
        self.status = status
        self.headers = headers
        self.body = body
        self.read = read  # bytes of the request body that the application took

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


async def asgi_call(app, method, target, headers=(), parts=(b"",)):
    """One request; `target` is the raw request target, `parts` the body as it arrives."""
    target = target if isinstance(target, bytes) else target.encode()
    raw_path, _, query = target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path.decode("latin-1")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(k.lower(), v) for k, v in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8400),
        "state": {},
    }
    waiting, taken = iter(parts), 0
    upcoming = next(waiting, b"")
    started, content = {}, []

    async def receive():
        nonlocal upcoming, taken
        current, upcoming = upcoming, next(waiting, None)
        if current is None:
            return {"type": "http.disconnect"}
        taken += len(current)
        return {"type": "http.request", "body": current, "more_body": upcoming is not None}

    async def send(message):
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            content.append(message.get("body", b""))

    try:
        await app(scope, receive, send)
    except Exception:
        # Starlette answers 500 and then lets the server log what happened.
        if not started:
            raise
    found = {k.decode().lower(): v.decode("latin-1") for k, v in started["headers"]}
    return Answer(started["status"], found, b"".join(content), taken)


class Door:
    """Calls to one running installation."""

    def __init__(self, loop, app, installation):
        self.loop = loop
        self.app = app
        self.installation = installation

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)

    def call(self, method, target, body=None, headers=(), **query):
        if query:
            pairs = [
                (k, v) for k, vs in query.items() for v in (vs if isinstance(vs, list) else [vs])
            ]
            target += "?" + urlencode(pairs)
        given = [
            (k.encode(), v if isinstance(v, bytes) else v.encode("latin-1")) for k, v in headers
        ]
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given.append((b"content-type", b"application/json"))
        return self.run(asgi_call(self.app, method, target, given, (body or b"",)))

    def get(self, target, **query):
        return self.call("GET", target, **query)

    def post(self, target, body=None, headers=()):
        return self.call("POST", target, body, headers)

    def put_product(self, id, headers=(), **fields):
        answer = self.call("PUT", f"/v1/products/{quote(id, safe='')}", fields, headers)
        assert answer.status == 200, answer
        return answer

    def send(self, *events):
        answer = self.post("/v1/events", {"events": list(events)})
        assert answer.status == 202, answer
        return answer.json()

    def shown(self, placement, **query):
        """Ids in a placement's answer."""
        answer = self.get(f"/v1/recommendations/{quote(placement, safe='')}", **query)
        assert answer.status == 200, answer
        return [item["id"] for item in answer.json()["items"]]

    def build(self):
        builds = self.installation.builds
        self.run(builds.start(self.installation.settings.shop))
        status = self.run(builds.finished(self.installation.settings.shop))
        assert status.state == "done", status
        return status


@contextmanager
def open_door(folder, operations=None, clock=system_clock, serving=False, **settings):
    """A door to a new installation in `folder`; `serving` follows the log in the background."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened = open_installation(
        read_settings(None, {}, {"data": str(folder), "currency": "GBP", **settings}),
        clock,
        serving,
    )

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(120)

    async def made(installation):
        found = operations() if operations else None
        return create_app(app_services(installation), found)

    try:
        installation = run(opened.__aenter__())
        try:
            yield Door(loop, run(made(installation)), installation)
        finally:
            run(opened.__aexit__(None, None, None))
    finally:
        run(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
