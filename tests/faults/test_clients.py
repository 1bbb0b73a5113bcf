"""Clients that go away leave nothing behind."""

import time
from pathlib import Path

import psycopg

from breaking import abandon_requests
from replica_group import Replicas


def open_files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_abandoned_requests_leave_no_connection_and_no_file_open(servers, tmp_path):
    url = servers["postgresql"].create("abandoned")
    group = Replicas(url, tmp_path)
    try:
        (client,) = group.start(1, ENDCAP_BUILD_EVERY="0", ENDCAP_LIMIT_ADDRESS="0")
        pid = group.servers[0].pid
        abandon_requests(client.url, 100)
        time.sleep(1)
        before = open_files(pid)
        abandon_requests(client.url, 400)
        end = time.monotonic() + 20
        while open_files(pid) > before + 3 and time.monotonic() < end:
            time.sleep(0.1)
        assert open_files(pid) <= before + 3
        with psycopg.connect(url) as connection:
            query = """
                SELECT count(*), count(*) FILTER (
                    WHERE state LIKE 'idle in transaction%'
                    AND state_change < now() - interval '2 seconds'
                ) FROM pg_stat_activity WHERE application_name = 'endcap'
            """
            open_now, hanging = connection.execute(query).fetchone()
        assert open_now <= 12
        assert hanging == 0
        assert client.send("after", "v", "p")[0] == 202
    finally:
        group.stop()
