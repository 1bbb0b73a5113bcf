"""What expressions read of the catalogue: columns and single values say the same, and live."""

import msgspec
import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

from endcap.catalog.fields import CatalogFields
from endcap.catalog.undo import Undo
from endcap.catalog.values import product_values
from endcap.core.product import ProductDocument
from endcap.core.times import DAY
from endcap.rules.errors import ExpressionError
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING
from shop_in_memory import columns_of

NOW = 1_700_000_000_000
MUG = {
    "id": "mug",
    "brand": "Aga",
    "price": "12.95",
    "list_price": "18.50",
    "cost": "5.18",
    "currency": "EUR",
    "rating": 4.3,
    "stock": 3,
    "tags": ["sale", "blue"],
    "categories": ["Home > Kitchen", "Gifts"],
    "attributes": {"colour": "blue", "litres": 1, "fair": True, "sizes": ["S", "L"], "none": ""},
    "zones": {"US": {"price": "14.00", "stock": 0}},
}
YEN = {"id": "yen", "price": "1295", "currency": "JPY", "availability": "preorder"}
BARE = {"id": "bare"}


def matching(columns, text, zone=None):
    expression = compile_expression(text, EVERYTHING)
    size = len(columns)
    fields = CatalogFields(columns, NOW, zone)
    mask = expression.mask(fields, slice(0, size), {})
    rows = np.arange(size - 1, -1, -1, dtype=np.int32)
    assert expression.mask(fields, rows, {}).tolist() == mask[::-1].tolist()
    single = [
        expression.holds({"product": product_values(columns, row, NOW, zone)})
        for row in range(size)
    ]
    assert mask.tolist() == single
    return {columns.ids[row] for row in np.flatnonzero(mask)}


def test_every_field_can_be_asked_for():
    columns = columns_of(MUG, YEN, BARE)
    for text, ids in {
        "product.price == 12.95": {"mug"},
        "product.price == 1295": {"yen"},
        "product.list_price > 18.4": {"mug"},
        "product.discount == 0.3": {"mug"},
        "product.discount == 0": {"yen"},
        "product.margin > 0.59 && product.margin < 0.61": {"mug"},
        "product.cost < 5.2": {"mug"},
        "product.rating >= 4.3 && product.rating <= 4.3": {"mug"},
        "product.rating_count == 0": {"mug", "yen", "bare"},
        "product.stock < 5": {"mug"},
        "!has(product.stock)": {"yen", "bare"},
        "product.in_stock": {"mug", "yen", "bare"},
        "product.availability == 'preorder'": {"yen"},
        "product.currency in ['EUR', 'USD']": {"mug"},
        "product.id in ['mug', 'nothing', 'bare']": {"mug", "bare"},
        "product.category == 'Home > Kitchen'": {"mug"},
        "product.in_category('Home')": {"mug"},
        "'Gifts' in product.categories": {"mug"},
        "'sale' in product.tags": {"mug"},
        "size(product.tags) == 0": {"yen", "bare"},
        "product.attributes.colour.startsWith('bl')": {"mug"},
        "product.attributes.litres <= 1": {"mug"},
        "product.attributes.fair": {"mug"},
        "'L' in product.attributes.sizes": {"mug"},
        "has(product.attributes.none) || has(product.attributes.unheard)": set(),
    }.items():
        assert matching(columns, text) == ids, text


def test_a_zone_has_its_own_price_and_stock():
    columns = columns_of(MUG, YEN)
    assert matching(columns, "product.price == 14.0", "US") == {"mug"}
    assert matching(columns, "product.price == 12.95", "DE") == {"mug"}
    assert matching(columns, "!product.in_stock && product.stock == 0", "US") == {"mug"}
    assert matching(columns, "product.discount > 0.2 && product.discount < 0.25", "US") == {"mug"}


def test_age_is_counted_from_the_first_appearance():
    columns = columns_of(MUG, YEN)
    columns.created_at[:2] = [NOW - 3 * DAY, 0]
    assert matching(columns, "product.age_days == 3") == {"mug"}
    assert matching(columns, "has(product.age_days)") == {"mug"}


def changed(columns, change, **product):
    columns.apply([ProductDocument(product["id"], change, change, 0, False,
                                   msgspec.json.encode(product))])  # fmt: skip


def test_a_change_is_in_the_columns_at_once():
    columns = columns_of(MUG, BARE)
    undo = Undo(columns)
    before = columns.change
    undo.before(["mug", "bare"], before + 1)
    changed(columns, before + 1, id="mug", attributes={"colour": 7, "litres": "much"})
    changed(columns, before + 2, id="bare", attributes={"colour": "blue"}, tags=["sale"])
    assert matching(columns, "product.attributes.colour == 'blue'") == {"bare"}
    assert matching(columns, "product.attributes.colour == 7") == {"mug"}
    assert matching(columns, "product.attributes.litres == 'much'") == {"mug"}
    assert matching(columns, "has(product.attributes.fair)") == set()
    assert matching(columns, "'sale' in product.tags") == {"bare"}
    past = undo.at(before)
    assert matching(past, "product.attributes.colour == 'blue'") == {"mug"}
    assert matching(past, "product.attributes.litres == 1") == {"mug"}
    assert matching(past, "'sale' in product.tags") == {"mug"}


def test_common_attributes_become_arrays_and_rare_ones_stay_pairs():
    columns = columns_of(*({"id": f"p{n}", "attributes": {"n": n % 7}} for n in range(2_000)))
    for n in range(3):
        changed(columns, 3_000 + n, id=f"p{n}", attributes={"n": 3, "rare": "yes"})
    assert columns.attributes.find("n").numbers.dense is not None
    assert columns.attributes.find("rare").texts.dense is None
    assert matching(columns, "product.attributes.rare == 'yes'") == {"p0", "p1", "p2"}
    assert len(matching(columns, "product.attributes.n == 3")) == len(range(3, 2_000, 7)) + 3


VALUE = st.one_of(
    st.sampled_from(["", "red", "blue"]),
    st.integers(-2, 3),
    st.sampled_from([0.5, 2.0]),
    st.booleans(),
    st.lists(st.sampled_from(["S", "L"]), max_size=2),
)
PRODUCT = st.fixed_dictionaries(
    {"attributes": st.dictionaries(st.sampled_from(["x", "y"]), VALUE)},
    optional={
        "price": st.sampled_from(["0", "1.50", "3.00"]),
        "list_price": st.sampled_from(["0", "2.00", "3.00"]),
        "cost": st.sampled_from(["0", "1.00"]),
        "brand": st.sampled_from(["A", "B"]),
        "stock": st.sampled_from([0, 1, 5]),
        "tags": st.lists(st.sampled_from(["S", "L"]), max_size=2),
        "currency": st.sampled_from(["EUR", "KWD"]),
    },
)
ASKED = st.sampled_from(
    [
        "product.attributes.x == {}", "product.attributes.x != {}", "product.attributes.x in [{}]",
        "product.price > 1.5 || product.attributes.y == {}", "!(product.discount > 0.1)",
        "product.margin > 0.4", "!(product.margin > 0.4)", "product.brand < 'B'",
        "{} in product.tags",
        "!({} in product.attributes.x)", "product.attributes.x < {}",
        "size(product.attributes.y) > 0",
        "product.stock in [0, 5]", "has(product.attributes.x) == product.in_stock",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(PRODUCT, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), PRODUCT), max_size=3),
    ASKED,
    st.sampled_from(["'S'", "'red'", "2", "true"]),
)
def test_columns_agree_with_single_values(products, changes, asked, value):
    columns = columns_of(*({"id": f"p{n}", **p} for n, p in enumerate(products)))
    for place, product in changes:
        changed(columns, columns.change + 1, id=f"p{place}", **product)
    text = asked.format(value)
    note(text)
    try:
        compile_expression(text, EVERYTHING)
    except ExpressionError:
        return
    matching(columns, text)
