"""Columns and single values give the same answer, and no text does anything but fail clearly."""

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from product_columns import ListedFields

from endcap.rules.errors import ExpressionError
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING

TEXTS = st.sampled_from(["red", "blue", "Aga", "Home > A", "Home > A > B"])
FIGURES = st.sampled_from([0.0, -0.0, 1.0, 2.5, 3.0, 1e300])
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
ATTRIBUTE = st.one_of(st.none(), TEXTS, FIGURES, st.booleans(), LISTS)
PRODUCTS = st.fixed_dictionaries(
    {
        "price": st.one_of(st.none(), FIGURES),
        "cost": st.one_of(st.none(), FIGURES),
        "brand": st.one_of(st.none(), TEXTS),
        "tags": LISTS,
        "categories": LISTS,
        "in_stock": st.booleans(),
        "attributes": st.fixed_dictionaries({"x": ATTRIBUTE, "y": ATTRIBUTE}),
    }
)
ENVIRONMENT = st.fixed_dictionaries(
    {"seed": PRODUCTS, "visitor": st.just({"segments": ("loyal",), "orders": 2.0})}
)


def fields(*names):
    return st.sampled_from([f"{root}.{name}" for root in ("product", "seed") for name in names])


DYN = fields("attributes.x", "attributes['y']")
NUMBER = st.one_of(
    fields("price", "cost"),
    fields("price", "cost", "attributes.x"),
    st.sampled_from(["1.0", "2.5", "0.0", "-0.0", "0.0 / 0.0", "visitor.orders"]),
)
WHOLE = st.sampled_from(["1", "-3", "2 + 1", "1 / 0", "9007199254740993", "size(product.tags)"])
TEXT = st.one_of(fields("brand"), st.sampled_from(["'red'", "'Aga'", "''", "'Ag' + 'a'"]))
LIST = st.one_of(fields("tags", "attributes.y"), st.sampled_from(["[]", "['red']", "['a', 'Aga']"]))
NUMBERS = st.sampled_from(
    ["[1, 2.5]", "[]", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2.5]", "[seed.price, 1.0]"]
)
MIXED = st.sampled_from(["['red', 1.0, true]", "[null, 'Aga', []]", "[['red'], 3]"])
FEW = st.sampled_from(["null", "true", "'red'", "2.5", "3", "['red', 'blue']"])
COMPARE = st.sampled_from("== != < <= > >=".split())
EQUAL = st.sampled_from(["==", "!="])


def joined(template, *parts):
    return st.tuples(*parts).map(lambda got: template.format(*got))


SUM = st.one_of(
    NUMBER,
    joined("({} {} {})", NUMBER, st.sampled_from("+-*/"), NUMBER),
    joined("-({})", NUMBER),
    joined(
        "({} ? {} : {})", st.sampled_from(["product.in_stock", "seed.in_stock"]), NUMBER, NUMBER
    ),
)
LEAF = st.one_of(
    fields("in_stock", "attributes.x"),
    joined("({} {} {})", SUM, COMPARE, st.one_of(SUM, WHOLE)),
    joined("({} {} {})", st.one_of(SUM, WHOLE), COMPARE, SUM),
    joined("({} {} {})", TEXT, COMPARE, TEXT),
    joined("({} {} {})", LIST, EQUAL, LIST),
    joined("({} {} {})", DYN, COMPARE, st.one_of(DYN, FEW, SUM, TEXT, LIST)),
    joined("({} {} {})", FEW, COMPARE, DYN),
    joined("({} in {})", st.one_of(SUM, WHOLE), st.one_of(NUMBERS, MIXED)),
    joined("({} in {})", TEXT, st.one_of(LIST, MIXED)),
    joined("({} in {})", st.one_of(DYN, fields("in_stock", "tags")), MIXED),
    joined("({} in {})", FEW, st.one_of(DYN, MIXED)),
    joined("{}.{}({})", st.one_of(TEXT, DYN),
           st.sampled_from(["startsWith", "endsWith", "contains"]), st.sampled_from(["'A'", "''"])),
    joined("has({})", fields("price", "brand", "tags", "attributes.x")),
    joined("{}.in_category('Home > A')", st.sampled_from(["product", "seed"])),
    joined("size({}) {} {}", st.one_of(DYN, TEXT, LIST), COMPARE, st.sampled_from("0123")),
    st.sampled_from(["visitor.segment('loyal')", "visitor.segment('x')", "true", "1 / 0 == 1"]),
)  # fmt: skip
EXPRESSIONS = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        joined("({} {} {})", inner, st.sampled_from(["&&", "||", "==", "!="]), inner),
        joined("!({})", inner),
        joined("({} ? {} : {})", inner, inner, inner),
    ),
    max_leaves=5,
)


def compiled_or_none(text, want="bool"):
    try:
        return compile_expression(text, EVERYTHING, want)
    except ExpressionError:
        return None


@settings(max_examples=500, deadline=None)
@given(EXPRESSIONS, st.lists(PRODUCTS, min_size=1, max_size=6), ENVIRONMENT)
def test_columns_agree_with_single_values(text, products, env):
    expression = compiled_or_none(text)
    if expression is None:
        return
    note(f"{text} {products} {env}")
    mask = expression.mask(ListedFields(products), slice(None), env)
    single = [expression.holds({**env, "product": product}) for product in products]
    assert mask.tolist() == single
    denied = compile_expression(f"!({expression.text})", EVERYTHING)
    mask = denied.mask(ListedFields(products), slice(None), env)
    assert mask.tolist() == [denied.holds({**env, "product": p}) for p in products]
    assert expression.english()


def test_the_random_expressions_are_mostly_of_use():
    counts = {"compiled": 0, "refused": 0}

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(EXPRESSIONS)
    def count(text):
        compiled = compiled_or_none(text)
        counts["compiled" if compiled else "refused"] += 1

    count()
    assert counts["compiled"] >= 150, counts


TOKENS = st.sampled_from(
    "product . price seed visitor ( ) [ ] ! - + * / % < <= == != in && || ? : , 'a' \"b\" 1 2.5 "
    "true null has size segment attributes 0x1F 1e9 // \\ { } = & r'x' '''t''' @ é".split()
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(TOKENS, max_size=40).map(" ".join)))
def test_no_text_does_anything_but_fail_clearly(text):
    try:
        expression = compile_expression(text, EVERYTHING)
    except ExpressionError as error:
        assert 0 <= error.at <= len(text)
        return
    expression.mask(ListedFields([{"attributes": {}}]), slice(None), {})
    expression.holds({})


@pytest.mark.parametrize("mark", ["(", "[", "!", "-", "a.", "a(", "true?", "true?true:", "1+", "'"])
def test_long_nonsense_fails_clearly(mark):
    with pytest.raises(ExpressionError):
        compile_expression(mark * (4_096 // len(mark)), EVERYTHING)


def test_rows_and_stretches_give_the_same():
    products = [{"price": float(n), "attributes": {}} for n in range(50)]
    expression = compile_expression("product.price > 20 && product.price < 40", EVERYTHING)
    fields = ListedFields(products)
    whole = expression.mask(fields, slice(0, 50), {})
    rows = np.arange(49, -1, -1, dtype=np.int32)
    assert expression.mask(fields, rows, {}).tolist() == whole[::-1].tolist()
