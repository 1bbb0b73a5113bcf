"""Head and body of an answer leave in one write."""

import asyncio
import socket
from urllib.parse import urlsplit

from endcap.web.gathering import Gathering
from server import serving


class Transport:
    def __init__(self):
        self.sent = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.sent.append(data)

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def get_extra_info(self, name):
        return name


def gathering():
    inner = Transport()
    return inner, Gathering(inner, asyncio.get_running_loop())


def test_writes_of_one_turn_go_out_together():
    async def run():
        inner, outer = gathering()
        outer.write(b"head ")
        outer.write(b"body")
        assert inner.sent == []
        await asyncio.sleep(0)
        assert inner.sent == [b"head body"]
        outer.write(b"next")
        await asyncio.sleep(0)
        assert inner.sent == [b"head body", b"next"]
        assert outer.get_extra_info("peername") == "peername"

    asyncio.run(run())


def test_closing_sends_what_was_kept_first():
    async def run():
        inner, outer = gathering()
        outer.write(b"all ")
        outer.write(b"of it")
        outer.close()
        assert (inner.sent, inner.closed) == ([b"all of it"], True)
        await asyncio.sleep(0)
        assert inner.sent == [b"all of it"]

    asyncio.run(run())


def test_the_real_server_answers_in_one_piece(tmp_path):
    with serving(tmp_path) as (_, url):
        port = urlsplit(url).port
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(65_536).endswith(b'{"alive":true}')
