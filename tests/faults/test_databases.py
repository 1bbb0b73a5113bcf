"""`kill -9` of each database server while writers append."""

import pytest

from breaking import kill_database
from servers import SERVERS

KILLS = 2


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_what_was_acknowledged_outlives_the_server(kind, tmp_path):
    server = SERVERS[kind]()
    try:
        result = kill_database(server, server.create("killed"), KILLS)
    finally:
        server.stop()
    assert result.problems == []
    assert (result.lost, result.duplicated, result.phantom) == (0, 0, 0)
    assert result.faults == KILLS
    assert result.acked >= 400
    # MongoDB's driver waits for the server by itself.
    assert result.refused > 0 or kind == "mongodb"
