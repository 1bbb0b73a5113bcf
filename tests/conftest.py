import sys
from pathlib import Path

import pytest

# Builders that several test folders use live beside this file.
sys.path.insert(0, str(Path(__file__).parent))


class Running:
    """The servers of this test run, each started when it is first asked for."""

    def __init__(self):
        self._servers = {}

    def __getitem__(self, name):
        from servers import CACHES, SERVERS

        if name not in self._servers:
            self._servers[name] = (SERVERS | CACHES)[name]()
        return self._servers[name]

    def stop(self):
        for server in self._servers.values():
            server.stop()


@pytest.fixture(scope="session")
def servers():
    running = Running()
    yield running
    running.stop()
