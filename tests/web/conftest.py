import pytest

from door import open_door

TITLES = {
    "mug": "Red mug",
    "mug-blue": "Blue mug",
    "plate": "White plate",
    "lamp": "Desk lamp",
    "rug": "Wool rug",
    "clock": "Wall clock",
}


def stock_shop(door):
    """Six products, and orders in which mug, plate and lamp are bought together."""
    for product, title in TITLES.items():
        category = "Kitchen" if product in ("mug", "mug-blue", "plate") else "Home"
        door.put_product(
            product,
            title=title,
            categories=[f"Shop > {category}"],
            price="9.90",
            stock=5,
            cost="1.10",
        )
    baskets = [("mug", "plate")] * 6 + [("mug", "lamp")] * 3 + [("rug", "clock")] * 3
    door.send(
        *(
            {
                "event_id": f"order-{n}",
                "type": "purchase",
                "visitor": f"buyer-{n}",
                "order": f"o-{n}",
                "products": [{"id": one, "quantity": 1, "price": "9.90"} for one in basket],
            }
            for n, basket in enumerate(baskets)
        )
    )
    door.build()


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """A stocked shop, shared by the tests of a file: they use their own products and visitors."""
    with open_door(tmp_path_factory.mktemp("shop")) as opened:
        stock_shop(opened)
        yield opened


@pytest.fixture
def fresh(tmp_path):
    """An empty shop for one test."""
    with open_door(tmp_path) as opened:
        yield opened
