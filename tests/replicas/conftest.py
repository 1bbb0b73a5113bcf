import itertools

import pytest

from replica_group import Replicas

numbers = itertools.count()


@pytest.fixture
def replicas(request, servers, tmp_path):
    """Replicas on a fresh database of the kind the test is marked with."""
    kind = getattr(request, "param", "postgresql")
    group = Replicas(servers[kind].create(f"replicas{next(numbers)}"), tmp_path / "data")
    yield group
    group.stop()
