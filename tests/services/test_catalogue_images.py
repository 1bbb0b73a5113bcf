"""Starting from an image: the same columns as reading everything, and never another store's."""

import asyncio

import msgspec
import pytest

from endcap.core.product import ProductWrite
from endcap.services import catalogue_images
from endcap.services.catalogue_images import CatalogueImages
from endcap.storage.memory_catalogue import MemoryCatalogue

SHOP = "shop"


class Counting(MemoryCatalogue):
    """Counts the documents that a start reads."""

    read = 0

    def changes(self, shop, since, limit):
        found = super().changes(shop, since, limit)
        self.read += (
            len(found) if limit > 1 else 0
        )  # one is asked for only to see whether it is there
        return found


def write(store, numbers, title="T", at=1):
    store.write(
        SHOP,
        [
            ProductWrite(f"p{n}", msgspec.json.encode({"id": f"p{n}", "title": f"{title}{n}"}))
            for n in numbers
        ],
        at,
    )


def alive(columns):
    """Bodies by id; rows may stand in another order."""
    rows = {product: columns.row(product) for product in columns.ids}
    return {product: columns.body(row) for product, row in rows.items() if columns.alive[row]}


def started(store, folder):
    store.read = 0
    return asyncio.run(CatalogueImages(store, folder).columns(SHOP))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(catalogue_images, "ENOUGH", 50)


@pytest.fixture
def store():
    made = Counting()
    write(made, range(100))
    return made


def test_a_start_reads_only_what_changed_since_the_image(store, tmp_path):
    first = started(store, tmp_path)
    assert store.read == 100
    write(store, [3, 100], "new")
    store.write(SHOP, [ProductWrite("p4", None)], 2)
    second = started(store, tmp_path)
    assert store.read == 3
    assert len(first) == 100
    assert second.change == 103
    assert second.live == 100
    assert not second.alive[4]
    assert [second.product(row).title for row in (3, 5, 100)] == ["new3", "T5", "new100"]
    assert alive(started(store, None)) == alive(second)


def test_many_changes_leave_a_new_image(store, tmp_path):
    started(store, tmp_path)
    write(store, range(60), "again")
    started(store, tmp_path)
    assert store.read == 60
    started(store, tmp_path)
    assert store.read == 0


@pytest.mark.parametrize("products", [range(100), range(50, 150), range(500, 600)])
def test_an_image_of_another_store_is_passed_over(store, tmp_path, products):
    """Restored from a backup, say: the same folder, another history."""
    started(store, tmp_path)
    other = Counting()
    write(other, products, "other")
    for _ in range(2):
        write(other, list(products)[::2], "later")
    columns = started(other, tmp_path)
    assert sorted(columns.ids) == sorted(f"p{n}" for n in products)
    assert columns.product(columns.row(f"p{products[0]}")).title == f"later{products[0]}"


def test_a_store_that_lost_its_end_is_read_anew(store, tmp_path):
    started(store, tmp_path)
    older = Counting()
    write(older, range(60))
    columns = started(older, tmp_path)
    assert columns.ids == [f"p{n}" for n in range(60)]


def test_a_torn_image_is_passed_over(store, tmp_path):
    started(store, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    assert len(started(store, tmp_path)) == 100
    assert store.read == 100


def test_a_folder_that_cannot_be_written_is_no_failure(store, tmp_path):
    (tmp_path / "file").write_text("")
    assert len(started(store, tmp_path / "file" / "below")) == 100
