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
        from objects import S3
        from servers import CACHES, SERVERS

        if name not in self._servers:
            self._servers[name] = (SERVERS | CACHES | {"s3": S3})[name]()
        return self._servers[name]

    def stop(self):
        for server in self._servers.values():
            server.stop()


@pytest.fixture(scope="session")
def servers():
    running = Running()
    yield running
    running.stop()


@pytest.fixture(params=["folder", "s3"])
def objects_url(request, tmp_path, monkeypatch):
    """An empty place for objects of every kind in turn."""
    if request.param == "folder":
        yield str(tmp_path / "objects")
        return
    s3 = request.getfixturevalue("servers")["s3"]
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    yield s3.create(f"bucket-{len(s3.client().list_buckets()['Buckets'])}")
