"""Full disks, and whether the disk comes before the answer."""

import os

import pytest

from breaking import fill_disk, small_disk, synced_before_ack


def test_a_full_disk_refuses_and_loses_nothing(tmp_path):
    if os.geteuid():
        pytest.skip("a file system can only be mounted by root")
    with small_disk(tmp_path / "disk") as folder:
        result = fill_disk(folder, episodes=3)
    assert result.problems == []
    assert (result.lost, result.duplicated) == (0, 0)
    assert result.faults == 3
    assert result.refused >= 3
    assert result.acked > 0


def test_each_answer_comes_after_the_sync_of_what_it_acknowledges(tmp_path):
    assert synced_before_ack(tmp_path, 40) == 40
