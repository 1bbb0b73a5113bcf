"""The catalogue port's laws, held to by every engine."""

import pytest
from ids import EVERY, PAIRS

from endcap.core.errors import VersionConflict
from endcap.core.product import ProductWrite
from endcap.core.product_history import read_history

SHOP = "default"


def put(store, *ids, shop=SHOP, body=b"{}", expected=None, at=1):
    return store.catalogue.write(shop, [ProductWrite(i, body, expected) for i in ids], at)


def test_a_product_comes_back_as_it_was_written(store):
    body = '{"title":"\u00e9\U0001f380 \'quoted\\""}'.encode()
    (document,) = put(store, "a", body=body, at=2**53)
    assert document == store.catalogue.get(SHOP, "a")
    assert document.body == body
    assert type(store.catalogue.get(SHOP, "a").updated_at) is int
    assert (document.version, document.change, document.updated_at) == (1, 1, 2**53)
    assert not document.deleted


def test_each_write_is_a_new_version_and_a_new_change(store):
    put(store, "a", "b")
    put(store, "a", body=b'{"n":2}')
    assert store.catalogue.get(SHOP, "a").version == 2
    assert [(d.id, d.change) for d in store.catalogue.changes(SHOP, 0, 10)] == [("b", 2), ("a", 3)]
    assert [d.id for d in store.catalogue.changes(SHOP, 2, 10)] == ["a"]
    assert store.catalogue.changes(SHOP, 3, 10) == []


def test_the_same_product_twice_in_one_write_counts_twice(store):
    one, two = put(store, "a", "a")
    assert (one.version, two.version) == (1, 2)
    assert (one.change, two.change) == (1, 2)
    assert store.catalogue.get(SHOP, "a") == two
    assert len(store.catalogue.changes(SHOP, 0, 10)) == 1


def test_a_deleted_product_is_gone_but_its_change_is_seen(store):
    put(store, "a", body=b'{"n":1}')
    (gone,) = store.catalogue.write(SHOP, [ProductWrite("a", None)], 5)
    assert gone.deleted
    assert gone.body == b'{"n":1}'
    assert store.catalogue.get(SHOP, "a") is None
    assert store.catalogue.page(SHOP, "", 10) == []
    assert store.catalogue.changes(SHOP, 1, 10) == [gone]
    (back,) = put(store, "a")
    assert back.version == 3


def test_deleting_nothing_changes_nothing(store):
    assert store.catalogue.write(SHOP, [ProductWrite("a", None)], 5) == [None]
    assert store.catalogue.changes(SHOP, 0, 10) == []


@pytest.mark.parametrize("expected", [1, 3])
def test_another_version_than_expected_is_refused_and_nothing_is_written(store, expected):
    put(store, "a")
    put(store, "a")
    writes = [ProductWrite("new", b"{}"), ProductWrite("a", b"{}", expected)]
    with pytest.raises(VersionConflict, match="version 2"):
        store.catalogue.write(SHOP, writes, 9)
    assert store.catalogue.get(SHOP, "new") is None
    assert store.catalogue.get(SHOP, "a").version == 2


def test_the_expected_version_is_taken(store):
    put(store, "a", expected=0)
    put(store, "a", expected=1)
    assert store.catalogue.get(SHOP, "a").version == 2
    with pytest.raises(VersionConflict):
        put(store, "a", expected=0)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_ids_that_look_alike_are_two_products(store, one, other):
    put(store, one, body=b"1")
    put(store, other, body=b"2")
    assert store.catalogue.get(SHOP, one).body == b"1"
    assert store.catalogue.get(SHOP, other).body == b"2"
    assert {d.id for d in store.catalogue.page(SHOP, "", 10)} == {one, other}


def test_pages_run_in_the_order_of_bytes_and_miss_nothing(store):
    put(store, *EVERY)
    seen, after = [], ""
    while page := store.catalogue.page(SHOP, after, 3):
        assert len(page) <= 3
        seen += [document.id for document in page]
        after = page[-1].id
    assert seen == sorted(EVERY, key=str.encode)


def test_shops_do_not_see_each_other(store):
    put(store, "a", shop="one", body=b"1")
    put(store, "a", shop="two", body=b"2")
    assert store.catalogue.get("one", "a").body == b"1"
    assert store.catalogue.get("two", "a").body == b"2"
    assert store.catalogue.get(SHOP, "a") is None
    assert store.catalogue.get("two", "a").change == 1
    assert len(store.catalogue.changes("one", 0, 10)) == 1


def test_many_writes_at_once(store):
    ids = [f"p{n:05}" for n in range(1_100)]
    put(store, *ids)
    put(store, *ids[::-1])
    changes = store.catalogue.changes(SHOP, 1_100, 5_000)
    assert [d.id for d in changes] == ids[::-1]
    assert {d.version for d in changes} == {2}


def test_the_history_of_a_product_is_kept_beside_it(store):
    put(store, "a", body=b'{"price":"10","currency":"EUR","stock":0}', at=1_000)
    (changed,) = put(store, "a", body=b'{"price":"8","currency":"EUR","stock":2}', at=2_000)
    history = read_history(changed.history)
    assert (history.created_at, history.restocked_at) == (1_000, 2_000)
    assert [point.since for point in history.prices] == [1_000, 2_000]
    assert store.catalogue.get(SHOP, "a") == changed
    assert store.catalogue.changes(SHOP, 1, 10) == [changed]
    (gone,) = store.catalogue.write(SHOP, [ProductWrite("a", None)], 3_000)
    assert gone.history == changed.history
    (back,) = put(store, "a", at=4_000)
    assert read_history(back.history).created_at == 4_000
