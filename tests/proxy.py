"""A TCP proxy that breaks what passes: put between a client and a server of the tests."""

import contextlib
import socket
import threading
import time


class Proxy:
    """Modes: pass, refuse, hang, slow (2 s), reset (after 5 bytes of a reply), garbage."""

    def __init__(self, port):
        self.target = port
        self.mode = "pass"
        self.connections = 0
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def set(self, mode):
        """Change what happens, to connections that are open too."""
        self.mode = mode
        if mode == "refuse":
            self._drop()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop()
        self._thread.join(5)

    def _drop(self):
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
            self._open.discard(one)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.mode == "refuse":
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self._open |= {client, server}
            for pair, back in (((client, server), False), ((server, client), True)):
                threading.Thread(target=self._pump, args=(*pair, back), daemon=True).start()

    def _pump(self, source, sink, back):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                while self.mode == "hang":
                    time.sleep(0.02)
                if back and self.mode == "slow":
                    time.sleep(2)
                if back and self.mode == "garbage":
                    data = b"\x00HTTP/1.1 what?\r\n" * 3
                if back and self.mode == "reset":
                    sink.sendall(data[:5])
                    break
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
            self._open.discard(one)
