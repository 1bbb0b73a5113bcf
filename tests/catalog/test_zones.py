import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.product import ProductDocument


def shop_of(*products):
    columns = Columns()
    put(columns, *products)
    return columns


def put(columns, *products):
    for fields in products:
        body = msgspec.json.encode({"price": "10", "currency": "EUR", **fields})
        version = 1 + int(
            columns.version[columns.row(fields["id"])] if fields["id"] in ids(columns) else 0
        )
        columns.apply([ProductDocument(fields["id"], version, columns.change + 1, 0, False, body)])


def ids(columns):
    return set(columns.ids)


def seen(columns, zone, *products):
    rows = columns.rows(products)
    return list(
        zip(
            columns.sellable_in(rows, zone).tolist(),
            columns.price_in(rows, zone).tolist(),
            columns.stock_in(rows, zone).tolist(),
            strict=True,
        )
    )


def test_a_zone_differs_only_in_what_it_says():
    columns = shop_of(
        {"id": "a", "stock": 5, "zones": {"CH": {"price": "12"}, "NO": {"eligible": False}}},
        {"id": "b", "stock": 0, "zones": {"CH": {"stock": 3}}},
        {"id": "c", "stock": 4, "zones": {"CH": {"stock": 0}}},
    )
    assert seen(columns, None, "a", "b", "c") == [
        (True, 1000, 5),
        (False, 1000, 0),
        (True, 1000, 4),
    ]
    assert seen(columns, "CH", "a", "b", "c") == [
        (True, 1200, 5),
        (True, 1000, 3),
        (False, 1000, 0),
    ]
    assert seen(columns, "NO", "a", "b") == [(False, 1000, 5), (False, 1000, 0)]
    assert seen(columns, "nowhere", "a") == seen(columns, None, "a")


def test_a_zone_follows_each_change_and_goes_with_it():
    columns = shop_of({"id": "a", "stock": 5, "zones": {"CH": {"stock": 1}}})
    put(columns, {"id": "a", "stock": 5, "zones": {"CH": {"stock": 0}}})
    assert seen(columns, "CH", "a") == [(False, 1000, 0)]
    put(columns, {"id": "a", "stock": 5})
    assert seen(columns, "CH", "a") == [(True, 1000, 5)]
    put(columns, {"id": "a", "stock": 5, "zones": {"CH": {"price": "1"}}})
    assert seen(columns, "CH", "a") == [(True, 100, 5)]


def test_a_deleted_product_is_sold_in_no_zone():
    columns = shop_of({"id": "a", "stock": 0, "zones": {"CH": {"stock": 3}}})
    columns.apply([ProductDocument("a", 2, 9, 0, True, columns.body(0))])
    assert seen(columns, "CH", "a")[0][0] is False


def test_a_card_shows_the_price_of_its_zone():
    columns = shop_of({"id": "a", "title": "Tea", "zones": {"CH": {"price": "12", "stock": 2}}})
    cards = Cards(columns)
    assert msgspec.json.decode(cards.card(0).json)["price"] == "10"
    assert msgspec.json.decode(cards.card(0, "CH").json)["price"] == "12"
    assert msgspec.json.decode(cards.picked(0, ("price", "stock"), "CH")) == {
        "price": "12",
        "stock": 2,
    }
    put(columns, {"id": "a", "title": "Tea", "zones": {"CH": {"price": "13"}}})
    assert msgspec.json.decode(cards.card(0, "CH").json)["price"] == "13"


offers = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"stock": st.integers(0, 2), "eligible": st.booleans()}),
)
changes = st.lists(st.tuples(st.integers(0, 9), offers, offers), max_size=40)


@settings(max_examples=60, deadline=None)
@given(changes)
def test_overlays_equal_the_plain_reading(made):
    columns = shop_of(*({"id": str(n), "stock": 1} for n in range(10)))
    latest = {str(n): {} for n in range(10)}
    for number, one, two in made:
        zones = {z: o for z, o in (("X", one), ("Y", two)) if o is not None}
        latest[str(number)] = zones
        put(columns, {"id": str(number), "stock": 1, "zones": zones})
    for zone in ("X", "Y"):
        expected = [
            latest[p].get(zone, {}).get("eligible", True)
            and latest[p].get(zone, {}).get("stock", 1) > 0
            for p in map(str, range(10))
        ]
        assert columns.sellable_in(columns.rows(map(str, range(10))), zone).tolist() == expected
