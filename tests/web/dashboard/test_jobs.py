"""The jobs that ran, on the page Data and jobs."""

import pytest

from door import open_door
from endcap.storage import job_log
from endcap.storage.job_log import JobLog


def jobs(door):
    return door.get("/dashboard/data.json").json()["jobs"]


def test_builds_and_retention_are_listed_with_what_they_counted(tmp_path):
    with open_door(tmp_path) as door:
        assert "A build writes the first line" in door.get("/dashboard/data").body.decode()
        door.put_product("a", price="1.00")
        door.send({"event_id": "1", "type": "view", "visitor": "v", "product": "a"})
        door.build()
        found = {one["kind"]: one for one in jobs(door)}
        assert set(found) == {"archive", "rollups", "build"}
        assert {one["counts"]["events"] for one in found.values()} == {1}
        assert all(one["started_at"] <= one["finished_at"] for one in found.values())
        door.build()  # nothing new: the archive has nothing to note
        assert [one["kind"] for one in jobs(door)].count("archive") == 1
        door.run(door.installation.erasing.retention.run_once("default"))
        assert jobs(door)[0]["kind"] == "retention"
        page = door.get("/dashboard/data").body.decode()
        assert "retention" in page and "1 events" in page
    with open_door(tmp_path) as door:
        assert len(jobs(door)) == 5


def test_a_failure_is_noted_and_goes_on(tmp_path):
    log = JobLog(tmp_path, lambda: 1_000)
    with pytest.raises(OSError, match="full"), log.run("s", "build"):
        raise OSError("disk full")
    (job,) = log.latest("s", 10)
    assert (job.kind, job.error) == ("build", "OSError: disk full")
    assert log.latest("other", 10) == []


def test_the_file_stays_small_and_a_torn_line_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(job_log, "MOST_BYTES", 2_000)
    monkeypatch.setattr(job_log, "KEPT", 5)
    log = JobLog(tmp_path, lambda: 1_000)
    for n in range(200):
        with log.run("s", "build") as counts:
            counts["n"] = n
    (file,) = (tmp_path / "jobs").glob("*.ndjson")
    assert file.stat().st_size < 2_500
    with file.open("ab") as stream:
        stream.write(b'{"kind":"bu')
    assert log.latest("s", 3)[0].counts == {"n": 199}
