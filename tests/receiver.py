"""A receiver of webhooks on this machine: keeps what came and answers as it is told."""

import base64
import hmac
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        server = self.server
        server.got.append((dict(self.headers), body))
        status = server.statuses.pop(0) if server.statuses else 204
        self.send_response(status)
        for name, value in server.more_headers:
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        content, kind = self.server.files.get(self.path, (None, ""))
        self.server.got.append((dict(self.headers), self.path.encode()))
        self.send_response(200 if content is not None else 404)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_):
        pass


@contextmanager
def receiving():
    """A running receiver: `url`, `got` (headers and body), `statuses` to answer with first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.host = f"127.0.0.1:{server.server_port}"
    server.url = f"http://{server.host}/hook"
    server.got, server.statuses, server.more_headers, server.files = [], [], [], {}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def verified(secret, headers, body, now=None):
    """As a receiver's library checks a message: by the specification, not by our code."""
    headers = {name.lower(): value for name, value in headers.items()}
    sent = int(headers["webhook-timestamp"])
    assert abs((now or time.time()) - sent) < 300
    content = f"{headers['webhook-id']}.{sent}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return f"v1,{right}" in headers["webhook-signature"].split(" ")
