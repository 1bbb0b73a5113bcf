"""The last changes are known one by one; of more, that something changed."""

from endcap.catalog.changes import Changes


def test_changes_older_than_are_remembered_are_none(monkeypatch):
    monkeypatch.setattr("endcap.catalog.changes.MAX_KEPT", 4)
    changes = Changes()
    for row in (0, 1, 2, 0, 0, 1, 1):
        changes.add(row)
    assert changes.since(changes.count).tolist() == []
    assert changes.since(changes.count - 3).tolist() == [0, 1]
    assert changes.since(0) is None
