"""The control port's laws, held to by every engine."""

import pytest
from ids import PAIRS

from endcap.core.errors import VersionConflict
from endcap.core.placement import ControlRecord

SHOP = "default"


def record(name="home", body=b"{}", kind="placement", **fields):
    values = {"author": "ana", "note": "why", "created_at": 2**53}
    return ControlRecord(kind=kind, name=name, version=0, body=body, **values | fields)


def test_versions_count_up_and_are_all_kept(store):
    one = store.control.put(SHOP, record(body=b"1"), None)
    two = store.control.put(SHOP, record(body=b"2", note="better"), 1)
    assert (one.version, two.version) == (1, 2)
    assert store.control.get(SHOP, "placement", "home", None) == two
    assert store.control.get(SHOP, "placement", "home", 1) == one
    assert type(store.control.get(SHOP, "placement", "home", 1).created_at) is int
    assert store.control.get(SHOP, "placement", "home", 3) is None
    assert store.control.history(SHOP, "placement", "home") == [two, one]


@pytest.mark.parametrize("expected", [0, 2])
def test_a_stale_change_is_refused(store, expected):
    store.control.put(SHOP, record(), 0)
    with pytest.raises(VersionConflict, match="version 1"):
        store.control.put(SHOP, record(), expected)
    assert len(store.control.history(SHOP, "placement", "home")) == 1


def test_a_deleted_name_leaves_the_list_and_keeps_its_history(store):
    store.control.put(SHOP, record("a"), None)
    store.control.put(SHOP, record("b"), None)
    store.control.put(SHOP, record("a", body=None), None)
    assert [r.name for r in store.control.latest(SHOP, "placement")] == ["b"]
    assert len(store.control.history(SHOP, "placement", "a")) == 2
    back = store.control.put(SHOP, record("a", body=b"3"), 2)
    assert back.version == 3
    assert [r.name for r in store.control.latest(SHOP, "placement")] == ["a", "b"]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_names_that_look_alike_are_two(store, one, other):
    store.control.put(SHOP, record(one, body=b"1"), 0)
    store.control.put(SHOP, record(other, body=b"2"), 0)
    assert store.control.get(SHOP, "placement", one, None).body == b"1"


def test_kinds_and_shops_are_apart(store):
    store.control.put(SHOP, record(), 0)
    store.control.put(SHOP, record(kind="rule"), 0)
    store.control.put("other", record(), 0)
    assert len(store.control.latest(SHOP, "placement")) == 1
    assert store.control.get("third", "placement", "home", None) is None


def test_marks_count_what_was_put_per_kind(store):
    assert store.control.marks(SHOP) == {}
    store.control.put(SHOP, record("a"), None)
    store.control.put(SHOP, record("b"), None)
    store.control.put(SHOP, record("a", body=None), None)
    store.control.put(SHOP, record("r", kind="rule"), None)
    store.control.put("other", record("r", kind="rule"), None)
    with pytest.raises(VersionConflict):
        store.control.put(SHOP, record("r", kind="rule"), 5)
    assert store.control.marks(SHOP) == {"placement": 3, "rule": 1}
    assert store.control.marks("other") == {"rule": 1}


def test_pages_go_by_name_and_leave_out_the_deleted(store):
    for name in ("b", "B", "a", "c", "\u00e9"):
        store.control.put(SHOP, record(name), None)
    store.control.put(SHOP, record("c", body=None), None)
    first = store.control.page(SHOP, "placement", "", 2)
    assert [r.name for r in first] == ["B", "a"]
    assert [r.name for r in store.control.page(SHOP, "placement", "a", 9)] == ["b", "\u00e9"]
    assert store.control.page("other", "placement", "", 9) == []


def test_a_purge_leaves_nothing_of_the_name(store):
    store.control.put(SHOP, record("a"), None)
    store.control.put(SHOP, record("a", body=b"2"), None)
    store.control.put(SHOP, record("b"), None)
    store.control.put("other", record("a"), None)
    assert store.control.purge(SHOP, "placement", "a") == 2
    assert store.control.purge(SHOP, "placement", "a") == 0
    assert store.control.history(SHOP, "placement", "a") == []
    assert store.control.get("other", "placement", "a", None).version == 1
    assert store.control.put(SHOP, record("a"), 0).version == 1
