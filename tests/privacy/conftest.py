import pytest

from door import open_door


@pytest.fixture
def fresh(tmp_path):
    """An empty shop for one test."""
    with open_door(tmp_path / "data") as opened:
        yield opened
