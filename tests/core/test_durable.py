"""A file is replaced whole."""

import pytest

from endcap.core.durable import replace, sync


def test_a_replaced_file_has_the_new_content_and_nothing_stays_beside_it(tmp_path):
    file = tmp_path / "state.json"
    replace(file, b"one")
    replace(file, b"two")
    assert file.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_what_is_not_there_cannot_be_synced(tmp_path):
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "nothing")
