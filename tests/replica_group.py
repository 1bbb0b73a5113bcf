"""Replicas of one installation as processes, and a plain client."""

import contextlib
import http.client
import json
import time
from urllib.parse import quote, urlsplit

from server import Server

PRODUCTS = [f"p{n}" for n in range(12)]


class Client:
    """Plain HTTP to one replica over one connection."""

    def __init__(self, url):
        self.url = url
        parts = urlsplit(url)
        self.port = parts.port
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def call(self, method, path, body=None):
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, content)
                response = self.connection.getresponse()
                data = response.read()
                return response.status, json.loads(data) if data else None
            except (http.client.HTTPException, OSError):
                self.connection.close()
                if attempt == 2:
                    raise
        raise AssertionError

    def put(self, product, **fields):
        path = f"/v1/products/{quote(product, safe='')}"
        status, answer = self.call("PUT", path, {"id": product, "title": product, **fields})
        assert status in (200, 201), answer
        return answer

    def send(self, event_id, visitor, product, **fields):
        event = {"event_id": event_id, "type": "view", "visitor": visitor, "product": product}
        return self.call("POST", "/v1/events", {"events": [{**event, **fields}]})

    def recommend(self, placement, **query):
        text = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
        status, answer = self.call("GET", f"/v1/recommendations/{placement}?{text}")
        assert status == 200, answer
        return answer

    def items(self, placement, **query):
        return [item["id"] for item in self.recommend(placement, **query)["items"]]

    def ready(self):
        return self.call("GET", "/readyz")


def eventually(condition, seconds=20):
    """Wait for it; how long that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not come about"
        time.sleep(0.01)
    return time.monotonic() - begun


class Replicas:
    """Processes of one installation."""

    def __init__(self, url, folder):
        self.environment = {"ENDCAP_STORE_URL": url, "ENDCAP_DATA": str(folder)}
        self.servers = []
        self.clients = []

    def start(self, count=1, *arguments, **extra):
        """Start some at once; their clients."""
        started = [
            Server("serve", "--port", 0, "--json", *arguments, env=self.environment | extra)
            for _ in range(count)
        ]
        self.servers += started
        clients = [Client(server.url()) for server in started]
        self.clients += clients
        return clients

    def stop(self):
        for client in self.clients:
            client.connection.close()
        for server in self.servers:
            if server.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    server.process.kill()
            server.process.communicate()
