"""Clients that go away leave nothing behind."""

import time
from pathlib import Path

import psycopg

from breaking import abandon_requests
from replica_group import Replicas

# What may be open for the moment; a leak would be hundreds.
SPARE = 3
POOL = 12
REQUESTS = 400


def open_files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def settled(fine, seconds=20):
    end = time.monotonic() + seconds
    while not fine() and time.monotonic() < end:
        time.sleep(0.1)


def quiet(pid):
    """The files open once their number has stayed the same for a second."""
    seen = [open_files(pid)]
    settled(lambda: seen.append(open_files(pid)) or len(set(seen[-10:])) == 1 < len(seen) - 9)
    return seen[-1]


def connections(connection):
    """The server's connections, and those of them that hang in a transaction."""
    query = """
        SELECT count(*), count(*) FILTER (
            WHERE state LIKE 'idle in transaction%'
            AND state_change < now() - interval '2 seconds'
        ) FROM pg_stat_activity WHERE application_name = 'endcap'
    """
    return connection.execute(query).fetchone()


def test_abandoned_requests_leave_no_connection_and_no_file_open(servers, tmp_path):
    url = servers["postgresql"].create("abandoned")
    group = Replicas(url, tmp_path)
    try:
        (client,) = group.start(1, ENDCAP_BUILD_EVERY="0", ENDCAP_LIMIT_ADDRESS="0")
        pid = group.servers[0].pid
        # The same load first: a pool opens its connections as they are needed.
        abandon_requests(client.url, REQUESTS)
        before = quiet(pid)
        abandon_requests(client.url, REQUESTS)
        settled(lambda: open_files(pid) <= before + SPARE)
        assert open_files(pid) <= before + SPARE
        with psycopg.connect(url, autocommit=True) as connection:
            settled(lambda: connections(connection)[1] == 0)
            open_now, hanging = connections(connection)
        assert open_now <= POOL
        assert hanging == 0
        assert client.send("after", "v", "p")[0] == 202
    finally:
        group.stop()
