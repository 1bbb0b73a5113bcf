import pytest

from endcap.storage.memory_catalogue import MemoryCatalogue
from endcap.storage.memory_control import MemoryControl
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.sql.sqlite import SqliteStore


class MemoryStore:
    """The reference engines together."""

    def __init__(self):
        self.catalogue = MemoryCatalogue()
        self.events = MemoryEventLog()
        self.control = MemoryControl()

    def close(self):
        pass


ENGINES = {"memory": lambda _: MemoryStore(), "sqlite": SqliteStore}


@pytest.fixture(params=sorted(ENGINES))
def store(request, tmp_path):
    """A store of every engine in turn."""
    opened = ENGINES[request.param](tmp_path / "store")
    yield opened
    opened.close()
