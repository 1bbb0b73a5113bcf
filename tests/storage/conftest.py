import os

import pytest
from emptying import empty

from endcap.storage.memory_catalogue import MemoryCatalogue
from endcap.storage.memory_control import MemoryControl
from endcap.storage.memory_leases import MemoryLeases
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.sql.sqlite import SqliteStore
from endcap.storage.stores import open_store

SHARED = ("mariadb", "mongodb", "postgresql")
REAL_MONGO = os.environ.get("ENDCAP_TEST_MONGODB_URL")


class MemoryStore:
    """The reference engines together."""

    def __init__(self):
        self.catalogue = MemoryCatalogue()
        self.events = MemoryEventLog()
        self.control = MemoryControl()
        self.leases = MemoryLeases()

    def close(self):
        pass


class Opened:
    """A store per server, opened once and emptied before each test."""

    def __init__(self, servers, folder):
        self._servers = servers
        self._folder = folder
        self._stores = {}

    def url(self, name):
        """The address of the database that the suites use; MongoDB may be a real one."""
        if name == "mongodb" and REAL_MONGO:
            return REAL_MONGO
        return self._servers[name].url("conformance")

    def __getitem__(self, name):
        if name not in self._stores:
            if not (name == "mongodb" and REAL_MONGO):
                self._servers[name].create("conformance")
            self._stores[name] = open_store(self.url(name), self._folder)
        empty(self._stores[name])
        return self._stores[name]

    def close(self):
        for store in self._stores.values():
            store.close()


@pytest.fixture(scope="session")
def opened(servers, tmp_path_factory):
    stores = Opened(servers, tmp_path_factory.mktemp("opened"))
    yield stores
    stores.close()


@pytest.fixture(params=["memory", "sqlite", *SHARED])
def store(request, tmp_path):
    """A store of every engine in turn, empty."""
    if request.param in SHARED:
        yield request.getfixturevalue("opened")[request.param]
        return
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture(params=SHARED)
def shared(request, opened):
    """A store of every engine that several processes share, and its address."""
    return opened[request.param], opened.url(request.param)
