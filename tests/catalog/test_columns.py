import msgspec
import numpy as np

from endcap.catalog.columns import Columns
from endcap.core.product import ProductDocument


def document(product, change, version=1, deleted=False, **fields):
    body = msgspec.json.encode({"id": product, **fields})
    return ProductDocument(product, version, change, 0, deleted, body)


def test_fields_land_in_their_columns():
    columns = Columns()
    columns.apply(
        [
            document(
                "a",
                1,
                price="2.55",
                list_price="3.00",
                currency="GBP",
                rating=4.5,
                rating_count=7,
                stock=3,
                brand="Acme",
                group="g",
                categories=["Home > Lighting", "Gifts"],
                available_from="2026-01-01T00:00:00Z",
            ),
            document("b", 2, price="1500", currency="JPY"),
        ]
    )
    assert columns.price[:2].tolist() == [255, 1500]
    assert columns.list_price[:2].tolist() == [300, -1]
    assert columns.stock[:2].tolist() == [3, -1]
    assert columns.rating[0] == 4.5
    assert np.isnan(columns.rating[1])
    assert columns.names.names[columns.brand[0]] == "Acme"
    assert columns.available_from[0] == 1_767_225_600_000
    assert columns.live == 2
    assert columns.change == 2


def test_what_can_be_sold():
    columns = Columns()
    columns.apply(
        [
            document("uncounted", 1),
            document("none left", 2, stock=0),
            document("pre-order", 3, stock=0, availability="preorder"),
            document("gone", 4, stock=9, availability="discontinued"),
            document("said out", 5, stock=9, availability="out_of_stock"),
        ]
    )
    assert columns.sellable[:5].tolist() == [True, False, True, False, False]


def test_a_category_holds_everything_below_it_and_nothing_beside():
    columns = Columns()
    columns.apply(
        [
            document("lamp", 1, categories=["Home > Lighting"]),
            document("both", 2, categories=["Gifts", "Home"]),
            document("homestead", 3, categories=["Homestead"]),
        ]
    )
    rows = columns.rows(["lamp", "both", "homestead"])
    assert columns.in_category(rows, "Home").tolist() == [True, True, False]
    assert columns.in_category(rows, "Home > Lighting").tolist() == [True, False, False]
    assert columns.in_category(rows, "Nowhere").tolist() == [False, False, False]


def test_a_category_that_comes_later_is_seen_below_its_parent():
    columns = Columns()
    columns.apply([document("lamp", 1, categories=["Home > Lighting"])])
    assert columns.in_category(columns.rows(["lamp"]), "Home").tolist() == [True]
    columns.apply([document("mug", 2, categories=["Home > Kitchen"])])
    assert columns.in_category(columns.rows(["mug"]), "Home").tolist() == [True]


def test_a_deleted_product_keeps_its_row_and_comes_back():
    columns = Columns()
    columns.apply([document("a", 1), document("b", 2)])
    columns.apply([document("a", 3, version=2, deleted=True)])
    assert columns.row("a") == 0
    assert not columns.alive[0]
    assert not columns.sellable[0]
    assert columns.live == 1
    columns.apply([document("a", 4, version=3)])
    assert columns.alive[0]
    assert columns.live == 2


def test_fewer_categories_than_before_leaves_none_behind():
    columns = Columns()
    columns.apply([document("a", 1, categories=["X", "Y", "Z"])])
    columns.apply([document("a", 2, version=2, categories=["Y"])])
    rows = columns.rows(["a"])
    assert columns.in_category(rows, "Z").tolist() == [False]
    assert columns.in_category(rows, "Y").tolist() == [True]


def test_ids_that_differ_by_case_or_space_are_different_rows():
    columns = Columns()
    columns.apply([document(i, n) for n, i in enumerate(["a", "A", "a ", "\u00e9", "e\u0301"], 1)])
    assert [columns.row(i) for i in ["a", "A", "a ", "\u00e9", "e\u0301"]] == [0, 1, 2, 3, 4]


def test_growth_keeps_what_was_there():
    columns = Columns()
    columns.apply([document(f"p{n}", n, stock=n) for n in range(1, 3_001)])
    assert len(columns) == 3_000
    assert columns.stock[:3_000].tolist() == list(range(1, 3_001))
    assert columns.row("p3000") == 2_999
