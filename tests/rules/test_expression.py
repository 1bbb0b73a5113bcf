import numpy as np
import pytest
from product_columns import ListedFields

from endcap.rules.errors import ExpressionError
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING, NO_PRODUCT

MUG = {
    "id": "mug",
    "brand": "Aga",
    "price": 12.95,
    "tags": ("sale", "blue"),
    "categories": ("Home > Kitchen > Mugs",),
    "in_stock": True,
    "attributes": {"colour": "blue", "litres": 0.3, "fair": True, "sizes": ("S", "L")},
}
HAT = {"id": "hat", "price": 20.0, "in_stock": False, "attributes": {"colour": 7.0}}
TWO = [MUG, HAT]
ENV = {
    "seed": {"price": 10.0, "brand": "Aga", "attributes": {"colour": "blue"}},
    "visitor": {"segments": ("loyal",), "orders": 3.0},
    "now": {"month": 12},
}


def picked(text, products=TWO, env=ENV):
    expression = compile_expression(text, EVERYTHING)
    mask = expression.mask(ListedFields(products), slice(None), env)
    single = [expression.holds({**env, "product": product}) for product in products]
    assert mask.dtype == np.bool_
    assert mask.tolist() == single, "columns and single values must agree"
    rows = np.array([1, 0, 1], np.int32)
    assert expression.mask(ListedFields(products), rows, env).tolist() == [
        single[1],
        single[0],
        single[1],
    ]
    return [product["id"] for product, kept in zip(products, mask, strict=True) if kept]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("product.price < 15", ["mug"]),
        ("product.price <= 1.3 * seed.price", ["mug"]),
        ("product.price <= 1.3 * seed.price || visitor.segment('loyal')", ["mug", "hat"]),
        ("product.brand in ['Aga', 'Bee']", ["mug"]),
        ("product.brand == seed.brand", ["mug"]),
        ("product.brand != 'Bee'", ["mug"]),
        ("!(product.brand == 'Bee')", ["mug"]),
        ("!has(product.brand) || product.brand != 'Bee'", ["mug", "hat"]),
        ("product.attributes.colour == 'blue'", ["mug"]),
        ("product.attributes['colour'] != 'blue'", ["hat"]),
        ("product.attributes.colour == 7", ["hat"]),
        ("product.attributes.colour == seed.attributes.colour", ["mug"]),
        ("product.attributes.fair", ["mug"]),
        ("!product.attributes.fair", []),
        ("'L' in product.attributes.sizes", ["mug"]),
        ("'sale' in product.tags", ["mug"]),
        ("!('sale' in product.tags)", ["hat"]),
        ("size(product.tags) == 0", ["hat"]),
        ("product.tags == []", ["hat"]),
        ("product.in_category('Home > Kitchen')", ["mug"]),
        ("!product.in_category('Home > Kitchen')", ["hat"]),
        ("product.in_stock", ["mug"]),
        ("!product.in_stock && now.month == 12", ["hat"]),
        ("product.in_stock == (product.price < 15.0)", ["mug", "hat"]),
        ("product.attributes.litres * 10.0 > 2.5", ["mug"]),
        ("(product.in_stock ? product.price : 1.0) > 5", ["mug"]),
        ("product.in_stock ? product.price < 5 : product.price > 5", ["hat"]),
        ("product.brand.startsWith('A') && product.brand.endsWith('ga')", ["mug"]),
        ("!product.brand.contains('x')", ["mug"]),
        ("product.brand < 'B'", ["mug"]),
        ("product.rating > 3", []),
        ("!(product.rating > 3)", []),
        ("product.rating > 3 || product.price > 15", ["hat"]),
        ("product.price in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12.95]", ["mug"]),
        ("!(product.price in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12.95])", ["hat"]),
        ("product.attributes.colour in [7, 'green']", ["hat"]),
        ("!(product.attributes.colour in [7, 'green'])", ["mug"]),
        ("product.price / 0.0 > 5", ["mug", "hat"]),
        ("product.attributes.colour + product.attributes.colour in [1.0]", []),
        ("product.price < 9223372036854775807", ["mug", "hat"]),
        ("seed.rating > 3", []),
        ("seed.rating > 3 && product.price > 1", []),
        ("true", ["mug", "hat"]),
    ],
)
def test_which_products_match(text, ids):
    assert picked(text) == ids


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("product.pric < 3", 8, "did you mean `price`?"),
        ("prodct.price < 3", 0, "did you mean `product`?"),
        ("price < 3", 0, "did you mean `product.price`?"),
        ("product.colour == 'red'", 8, "product.attributes.colour"),
        ("product.price = 3", 14, "write `==`"),
        ("product.price < 3 & true", 18, "write `&&`"),
        ("product.price < 3 and true", 18, "`and` is not expected here"),
        ("product.price < '3'", 14, "does not take double and string"),
        ("2 * seed.price > product.price", 2, "write 2.0"),
        ("product.brand.matches('a+')", 14, "regular expressions are not part"),
        ("product.tags.exists(t, t == 'a')", 13, "macros are not part"),
        ("b'abc' == b'abc'", 0, "bytes"),
        ("1u == 1u", 1, "unsigned"),
        ("{'a': 1}.size() == 1", 0, "maps"),
        ("timestamp('2020-01-01T00:00:00Z') < now", 0, "times and durations"),
        ("int('3') == 3", 0, "conversions"),
        ("visitor.segmnt('loyal')", 8, "did you mean `segment`?"),
        ("visitor.segment(3)", 8, "`segment` does not take"),
        ("product.price", 0, "gives a double, but a bool is needed"),
        ("product.price <", 15, "the end of the expression"),
        ("(product.price < 3", 18, "`)` is missing"),
        ("'abc", 0, "does not end"),
        ("'\\q' == 'q'", 1, "escape"),
        ("", 0, "empty"),
        ("9223372036854775808 > 1", 0, "64 bits"),
        ("product.attributes == 'a'", 8, "needs the name of one"),
        ("product.tags[0] == 'a'", 12, "cannot be used on fields of the product"),
        ("product.brand + 'x' == 'Agax'", 14, "takes doubles only"),
        ("while == 1", 0, "`while` is not expected"),
    ],
)
def test_mistakes_are_told_with_their_place_and_a_hint(text, at, words):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, EVERYTHING)
    assert words in str(caught.value)
    assert caught.value.at == at
    assert f"at character {at + 1}" in caught.value.problem("/filter").message


def test_a_condition_on_the_request_cannot_read_products():
    with pytest.raises(ExpressionError, match="cannot read the products"):
        compile_expression("product.price < 3", NO_PRODUCT)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("true" + " " * 4_100, "too_long"),
        ("(" * 17 + "true" + ")" * 17, "too_deep"),
        (" || ".join(["cart.size > 1"] * 60), "too_many_parts"),
        (f"product.price in [{','.join(['1'] * 501)}]", "list_too_long"),
        (" * ".join(["product.price"] * 12) + " > 1.0", "too_costly"),
        (" == ".join(["product.in_stock"] * 30), "too_costly"),
    ],
)
def test_limits(text, code):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, EVERYTHING)
    assert caught.value.code == f"expression_{code}"


def test_just_inside_the_limits():
    names = ",".join(f"'{n}'" for n in range(500))
    assert compile_expression(f"product.brand in [{names}]", EVERYTHING)
    assert compile_expression("(" * 16 + "true" + ")" * 16, EVERYTHING)
    assert compile_expression(" && ".join(["product.price < 3"] * 15), EVERYTHING)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "product.price <= 1.3 * seed.price && product.brand in ['A', 'B']",
            "the price is at most 1.3 times the seed's price and the brand is among “A”, “B”",
        ),
        ("!(product.price < 3)", "the price is at least 3"),
        (
            "!(product.in_stock && product.attributes.colour == 'red')",
            "the product is not in stock or the colour is not “red”",
        ),
        (
            "visitor.segment('loyal') || (visitor.orders > 3 && has(product.rating))",
            "the visitor is in the segment “loyal” or (the visitor's number of orders is above 3 "
            "and there is the rating)",
        ),
    ],
)
def test_an_expression_reads_as_english(text, sentence):
    assert compile_expression(text, EVERYTHING).english() == sentence


def test_what_an_expression_reads_is_known():
    whole = compile_expression("product.price < seed.price", EVERYTHING)
    assert whole.product and not whole.product_only
    assert compile_expression("product.price < 3", EVERYTHING).product_only
    assert not compile_expression("visitor.orders > 3", EVERYTHING).product


def test_text_functions_are_refused_on_a_field_with_too_many_texts(monkeypatch):
    fields = ListedFields([{"brand": f"b{n}", "attributes": {}} for n in range(9)])
    monkeypatch.setattr("endcap.rules.expression.MAX_VALUES", 5)
    compile_expression("product.brand == 'b1'", EVERYTHING).check_values(fields)
    with pytest.raises(ExpressionError, match="10 different values"):
        compile_expression("product.brand.startsWith('b')", EVERYTHING).check_values(fields)


def test_new_values_join_what_was_looked_up_before():
    expression = compile_expression("product.brand.startsWith('A')", EVERYTHING)
    products = [{"brand": "Aga"}]
    fields = ListedFields(products)
    assert expression.mask(fields, slice(None), {}).tolist() == [True]
    products += [{"brand": "Bee"}, {"brand": "Ant"}, {}]
    assert expression.mask(fields, slice(None), {}).tolist() == [True, False, True, False]
    other = ListedFields([{"brand": "Bee"}])
    assert expression.mask(other, slice(None), {}).tolist() == [False]
