"""Doubles of what telemetry is sent to: they keep what arrives, refuse, or hang."""

import contextlib
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from servers import free_port


class Sink:
    """An HTTP server that keeps (path, headers, body); `status` is what it answers."""

    def __init__(self, status=200):
        kept, self.status = [], status
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                kept.append((self.path, dict(self.headers), body))
                self.send_response(sink.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.kept = kept
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def bodies(self, path):
        return [body for where, _, body in self.kept if where.startswith(path)]

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Hung:
    """Takes connections and says nothing, ever."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def closing(made):
    try:
        yield made
    finally:
        made.close()


class Aws:
    """moto's server as a process, so that it can be frozen; nothing leaves the machine."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ.copy()
        )
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            assert self.process.poll() is None, "moto's server does not start"
            assert time.monotonic() < end, "moto's server did not come up"
            time.sleep(0.05)

    @property
    def environment(self):
        """For a process that is to find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def close(self):
        self.process.kill()
        self.process.communicate()


def spans_of(bodies):
    """Every span of OTLP trace requests with its resource's attributes."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    for body in bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    yield span, about


def lines_of(bodies):
    """Every record of OTLP log requests."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    for body in bodies:
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            for scope in resource.scope_logs:
                yield from scope.log_records


def attributes(pairs):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in pairs}


def events_of(bodies):
    """Every event of Sentry envelopes."""
    for body in bodies:
        text = zlib.decompress(body, 31) if body[:2] == b"\x1f\x8b" else body
        lines = text.split(b"\n")
        place = 1
        while place + 1 < len(lines) and lines[place]:
            if json.loads(lines[place])["type"] == "event":
                yield json.loads(lines[place + 1])
            place += 2
