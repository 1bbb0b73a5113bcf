"""Conditions worked out together give what each gives alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from product_columns import ListedFields
from test_laws import ENVIRONMENT, EXPRESSIONS, PRODUCTS

from endcap.rules.errors import ExpressionError
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING
from endcap.rules.remembered import Remembered
from endcap.rules.together import Together

LIKE_A_SHOP = st.sampled_from(
    [
        "product.price <= 1.2 * seed.price",
        "product.price <= 0.8 * seed.price && product.price >= 0.2 * seed.price",
        "seed.price < product.price && product.brand == seed.brand",
        "product.price > seed.attributes.x",
        "product.cost >= visitor.orders",
        "product.price < 9007199254740993",
        "product.brand == seed.attributes.x",
        "seed.brand == product.brand && product.in_stock",
        "product.price <= seed.price && product.tags == seed.tags",
        "seed.in_stock",
        "product.brand == ''",
        "product.in_category(seed.attributes.x)",
        "product.brand.startsWith(seed.brand) || product.brand < seed.brand",
    ]
)


def compiled(texts):
    found = []
    for text in texts:
        try:
            found.append(compile_expression(text, EVERYTHING))
        except ExpressionError:
            continue
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(PRODUCTS, max_size=5),
    st.lists(ENVIRONMENT, min_size=1, max_size=3),
    st.lists(st.one_of(LIKE_A_SHOP, EXPRESSIONS), max_size=8),
)
def test_together_is_each_alone(products, environments, texts):
    expressions = compiled(texts)
    together = Together(expressions)
    fields, rows = ListedFields(products), np.arange(len(products), dtype=np.int32)
    for env in (*environments, *environments):
        found = together.masks(fields, rows, env)
        alone = [e.mask(fields, rows, env).tolist() for e in expressions]
        assert found.tolist() == alone


def test_what_is_remembered_follows_from_the_values_read_alone():
    asked = []

    def make(env):
        asked.append(env)
        return len(asked)

    of = Remembered([("visitor", "orders", None), ("seed", "attributes", "x")], make, most=4)
    two = {"visitor": {"orders": 2.0, "spend": 1.0}, "seed": {"attributes": {"x": "red"}}}
    assert of(two) == of({**two, "visitor": {"orders": 2.0, "spend": 9.0}}) == 1
    assert of({**two, "visitor": {"orders": 3.0}}) == 2
    assert of({**two, "seed": {"attributes": {}}}) == of({"visitor": {"orders": 2.0}}) == 3
    assert len({of({"seed": {"attributes": {"x": x}}}) for x in (0.0, -0.0, False)}) == 3
    assert len(asked) == 6
    assert of(two) == 7, "the one used longest ago is let go"


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_missing_values_are_remembered_as_one(nothing):
    of = Remembered([("seed", "price", None)], lambda env: object())
    assert of({"seed": {"price": nothing}}) is of({"seed": {}}) is of({})
