import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from story import story_in


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """An empty shop for the tests of one file; a file's own fixture stocks it."""
    with story_in(tmp_path_factory.mktemp("story")) as story:
        yield story
