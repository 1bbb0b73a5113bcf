"""The real server over real sockets: bounds on what it reads, and how it starts and stops."""

import contextlib
import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from server import Server, serving

PIECE = b"x" * 65_536


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as (server, url):
        yield server, urlsplit(url)


def ask(url, method="GET", path="/livez", body=None, headers=()):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def raw(url, content, limit=100_000):
    """What comes back for these bytes, until the server closes."""
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(content)
        found = b""
        while len(found) < limit:
            try:
                part = connection.recv(65_536)
            except ConnectionResetError:
                break
            if not part:
                break
            found += part
    return found


def test_a_gigabyte_in_chunks_is_refused_and_not_kept(running):
    server, url = running
    ask(url, "POST", "/v1/events", b'{"events":[]}')
    before = server.memory()
    sent = 0
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        chunk = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
        try:
            while sent < 2**30:
                connection.sendall(chunk)
                sent += len(PIECE)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = connection.recv(65_536)
        except ConnectionResetError:
            answer = b""
    assert sent < 2**28  # the server closed long before the end
    assert answer[:12] in (b"HTTP/1.1 413", b"")
    assert server.memory() - before < 10 * 2**20
    assert ask(url)[0].status == 200


def test_a_gigabyte_by_its_own_word_is_refused_unread(running):
    server, url = running
    before = server.memory()
    answer = raw(
        url, b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\n" + PIECE
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in answer
    assert server.memory() - before < 10 * 2**20


def test_a_client_that_asks_first_is_told_before_it_sends(running):
    _, url = running
    answer = raw(
        url,
        b"POST /v1/events HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
        b"content-length: 1073741824\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_headers_without_end_are_refused_and_not_kept(running):
    server, url = running
    before = server.memory()
    answer = raw(url, b"GET /livez HTTP/1.1\r\nx: " + b"y" * 50_000_000)
    assert answer[:12] in (b"HTTP/1.1 431", b"")
    assert raw(url, b"GET /livez HTTP/1.1\r\nx: " + b"y" * 70_000)[:12] == b"HTTP/1.1 431"
    answer = raw(
        url, b"GET /livez HTTP/1.1\r\nconnection: close\r\n" + b"a: b\r\n" * 3_000 + b"\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer
    assert server.memory() - before < 10 * 2**20


@pytest.mark.parametrize(
    "content",
    [
        b"hello\r\n\r\n",
        b"GET /v1/products/\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345",
        b"POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_is_a_problem_too(running, content):
    answer = raw(running[1], content)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"application/problem+json" in answer


def test_head_has_no_body_and_options_says_what_goes(running):
    _, url = running
    response, content = ask(url, "HEAD", "/v1/placements")
    assert (response.status, content) == (200, b"")
    assert int(response.headers["content-length"]) > 1_000
    response, content = ask(url, "OPTIONS", "/v1/events")
    assert (response.status, content) == (204, b"")
    assert response.headers["allow"] == "OPTIONS, POST"


def test_a_connection_serves_many_requests(running):
    _, url = running
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    for n in range(50):
        body = {"event_id": f"k-{n}", "type": "search", "visitor": "v", "query": "q"}
        connection.request("POST", "/v1/events", json.dumps(body))
        response = connection.getresponse()
        assert response.status == 202
        assert json.loads(response.read())["accepted"] == 1
    connection.close()


def test_it_stops_when_asked_and_comes_back_with_everything(tmp_path):
    event = json.dumps({"event_id": "kept", "type": "search", "visitor": "v", "query": "q"})
    with serving(tmp_path) as (server, url):
        assert ask(urlsplit(url), "POST", "/v1/events", event)[0].status == 202
        assert ask(urlsplit(url), "POST", "/v1/builds")[0].status == 202
        assert server.stop() == 0
        assert "Traceback" not in server.output[1]
    with serving(tmp_path) as (_, url):
        content = ask(urlsplit(url), "POST", "/v1/events", event)[1]
        assert json.loads(content)["duplicates"] == 1


def test_a_port_that_is_taken_is_one_clear_line(running, tmp_path):
    taken = running[1].port
    server = Server("serve", "--port", taken, "--data", tmp_path)
    assert server.stop_when_done() == 2
    assert server.output[1].count("\n") == 1
    assert f"port {taken}" in server.output[1]
