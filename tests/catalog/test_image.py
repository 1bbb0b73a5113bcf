"""An image of the columns: what is loaded is what was saved, and anything else is refused."""

import os
import pickle

import msgspec
import numpy as np
import pytest

from endcap.catalog import image
from endcap.catalog.columns import Columns
from endcap.core.errors import SnapshotRefused
from endcap.core.product import ProductDocument

PRODUCTS = [
    {
        "id": f"p{number}",
        "title": f"Product {number}",
        "brand": f"b{number % 3}",
        "group": f"g{number // 2}",
        "categories": ["A > B", "C"] if number % 2 else ["A"],
        "price": "1.50",
        "currency": "EUR",
        "stock": number,
        "attributes": {"colour": "red", "size": number},
        "zones": {"DE": {"price": "2.00"}} if number % 5 == 0 else {},
        "links": {"bundle": [{"id": "p1"}], "accessories": ["p2"]} if number == 7 else None,
    }
    for number in range(100)
]


def document(product, change, version=1, deleted=False):
    body = msgspec.json.encode({k: v for k, v in product.items() if v is not None})
    return ProductDocument(product["id"], version, change, change, deleted, body)


def columns_of(products):
    columns = Columns("shop")
    columns.apply(document(product, change) for change, product in enumerate(products, 1))
    return columns


def assert_same(found, wanted):
    """All arrays, texts and bodies are the same."""
    assert found.ids == wanted.ids
    assert list(found.bodies) == list(wanted.bodies)
    assert [found.row(product) for product in wanted.ids] == list(range(len(wanted)))
    _assert_same_parts(found.parts(), wanted.parts())


def _assert_same_parts(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        _assert_same_value(found[name], value, name)


def _assert_same_value(found, wanted, name):
    if isinstance(wanted, np.ndarray):
        assert np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f"), name
    elif type(wanted).__module__.startswith("endcap.catalog"):
        _assert_same_parts(vars(found), vars(wanted))
    elif isinstance(wanted, dict):
        _assert_same_parts(found, wanted)
    else:
        assert found == wanted or repr(found) == repr(wanted) == "nan", name


@pytest.fixture
def saved(tmp_path):
    columns = columns_of(PRODUCTS)
    file = tmp_path / "columns.image"
    image.save(columns, file)
    return columns, file


def test_what_is_loaded_is_what_was_saved(saved):
    columns, file = saved
    found = image.load(file, "shop")
    assert_same(found.columns, columns)
    assert found.head.change == 100


def test_an_empty_catalogue_has_an_image_too(tmp_path):
    image.save(Columns("shop"), tmp_path / "i")
    assert len(image.load(tmp_path / "i", "shop").columns) == 0


def test_loaded_columns_change_like_others_and_leave_the_file_alone(saved):
    columns, file = saved
    before = file.read_bytes()
    found = image.load(file, "shop").columns
    changes = [
        document({**PRODUCTS[3], "stock": 0, "title": "Changed"}, 101, version=2),
        document({"id": "new", "title": "New", "categories": ["D > E > F"]}, 102),
        document(PRODUCTS[4], 103, version=2, deleted=True),
    ]
    for one in (found, columns):
        one.apply(changes)
    assert_same(found, columns)
    assert not found.alive[4]
    assert msgspec.json.decode(found.body(3))["title"] == "Changed"
    assert found.product(100).title == "New"
    assert file.read_bytes() == before
    image.save(found, file)
    columns.newest_first()
    assert_same(image.load(file, "shop").columns, columns)


@pytest.mark.parametrize("cut", [0, 5, 20, 200, 3_000, -1])
def test_a_torn_image_is_refused(saved, cut):
    _, file = saved
    os.truncate(file, cut % file.stat().st_size)
    with pytest.raises(SnapshotRefused):
        image.load(file, "shop")


def test_an_image_of_another_shop_or_code_is_refused(saved, monkeypatch):
    _, file = saved
    with pytest.raises(SnapshotRefused, match="another version or shop"):
        image.load(file, "other")
    monkeypatch.setattr(image, "_code", lambda: "other code")
    with pytest.raises(SnapshotRefused, match="another version or shop"):
        image.load(file, "shop")


def test_a_pickle_that_names_anything_else_is_refused(saved):
    """A file put there by somebody else cannot make us call what it likes."""
    columns, file = saved

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(file) + ".owned",))

    columns.names = Evil()
    image.save(columns, file)
    with pytest.raises(SnapshotRefused, match="no catalogue holds"):
        image.load(file, "shop")
    assert not file.with_name(file.name + ".owned").exists()
    assert pickle.dumps(Evil())  # the attack itself is sound


@pytest.mark.parametrize(
    ("version", "change", "follows"),
    [(1, 50, True), (2, 150, True), (1, 150, False), (2, 50, False), (0, 50, False)],
)
def test_an_image_knows_its_store(saved, version, change, follows):
    head = image.load(saved[1], "shop").head
    assert len(head.samples) >= 30
    for sample in head.samples:
        stored = ProductDocument(sample.id, version, change, 0, False, b"{}")
        assert sample.leads_to(stored, head.change) is follows
