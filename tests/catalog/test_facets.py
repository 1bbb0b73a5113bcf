from decimal import Decimal

import pytest

from endcap.catalog.facets import facets_of, price_band
from endcap.core.product import Product


@pytest.mark.parametrize(
    ("price", "band"),
    [
        (0, (0, 1)),
        (0.99, (0, 1)),
        (1, (1, 2)),
        (9.99, (5, 10)),
        (10, (10, 20)),
        (1999, (1000, 2000)),
    ],
)
def test_price_bands(price, band):
    assert price_band(price) == band


def test_facets_are_readable_and_each_once():
    product = Product(
        id="a",
        brand="Acme",
        categories=["Home > Kitchen", "Home"],
        price=Decimal("12.50"),
        attributes={"colour": ["red", "blue"], "dishwasher": True},
    )
    assert [name for name, _ in facets_of(product)] == [
        "brand:Acme",
        "category:Home > Kitchen",
        "category:Home",
        "price:10-20",
        "colour:red",
        "colour:blue",
        "dishwasher:True",
    ]
    # `Home` is a category of its own here, and one level up from the kitchen.
    assert dict(facets_of(product))["category:Home"] == 1.0
    assert dict(facets_of(Product(id="b", categories=["A > B"])))["category:A"] == 0.5
