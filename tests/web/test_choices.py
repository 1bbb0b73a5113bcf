"""Filters, expressions and orders of a request, through HTTP."""

import pytest

from door import open_door

GOODS = {
    "red-mug": ("Aga", "9.90", 4.5, 5, {"colour": "red", "litres": 0.3}, ["sale"]),
    "blue-mug": ("Aga", "12.50", 3.0, 0, {"colour": "blue", "litres": 0.5, "fair": True}, []),
    "plate": ("Bee", "20.00", None, 2, {"colour": "red", "sizes": ["S", "L"]}, ["sale", "new"]),
    "lamp": ("Lux", "45.00", 4.0, None, {"colour": "white", "watts": 7}, []),
    "rug": ("Bee", None, 5.0, 1, {}, ["new"]),
}


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("choices")) as opened:
        for name, (brand, price, rating, stock, attributes, tags) in GOODS.items():
            where = "Kitchen" if name in ("red-mug", "blue-mug", "plate") else "Living"
            opened.put_product(
                name,
                title=name,
                brand=brand,
                price=price,
                rating=rating,
                stock=stock,
                attributes=attributes,
                tags=tags,
                categories=[f"Home > {where}"],
                list_price="20.00" if name == "red-mug" else None,
                cost="1.00",
                zones={"US": {"price": "30.00"}} if name == "red-mug" else {},
            )
        opened.send(
            *(
                {"type": "purchase", "visitor": f"v{n}", "product": name, "price": "1.00",
                 "order": f"o{n}"}
                for n, name in enumerate(["lamp"] * 3 + ["plate"] * 2 + ["red-mug"])
            )
        )  # fmt: skip
        opened.build()
        yield opened


def shown(door, **query):
    return set(door.shown("popular", count=10, **query))


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, {"red-mug", "plate", "lamp", "rug"}),
        ({"brand": "Bee"}, {"plate", "rug"}),
        ({"brand": ["Bee", "Aga"]}, {"plate", "rug", "red-mug"}),
        ({"brand": "Nobody"}, set()),
        ({"price_min": "9.90", "price_max": "20"}, {"red-mug", "plate"}),
        ({"price_max": "9.89"}, set()),
        ({"price_max": "25", "zone": "US"}, {"plate"}),
        ({"rating_min": "4"}, {"red-mug", "lamp", "rug"}),
        ({"in_stock": "true"}, {"red-mug", "plate", "lamp", "rug"}),
        ({"in_stock": "false"}, set(GOODS)),
        ({"category": "Home > Kitchen"}, {"red-mug", "plate"}),
        ({"attr.colour": "red"}, {"red-mug", "plate"}),
        ({"attr.colour": ["red", "white"]}, {"red-mug", "plate", "lamp"}),
        ({"attr.watts": "7"}, {"lamp"}),
        ({"attr.sizes": "L"}, {"plate"}),
        ({"attr.fair": "true", "in_stock": "false"}, {"blue-mug"}),
        ({"attr.unheard": "x"}, set()),
        ({"exclude": "plate", "attr.colour": "red"}, {"red-mug"}),
        ({"filter": "product.price < 10 || 'new' in product.tags"}, {"red-mug", "plate", "rug"}),
        ({"filter": "product.attributes.litres <= 0.3"}, {"red-mug"}),
        ({"filter": "product.price <= 2.1 * seed.price", "seed": "red-mug"}, {"plate"}),
        ({"filter": "product.discount > 0.5"}, {"red-mug"}),
        ({"filter": "request.zone == 'US' && product.price == 30.0", "zone": "US"}, {"red-mug"}),
        (
            {"brand": "Bee", "price_max": "30", "rating_min": "0", "filter": "product.stock > 1"},
            set(),
        ),
        ({"brand": "Bee", "attr.colour": "red", "filter": "product.stock > 1"}, {"plate"}),
    ],
)
def test_only_what_is_asked_for_is_shown(door, query, ids):
    assert shown(door, **query) == ids


def test_a_body_takes_the_same(door):
    body = {
        "count": 10,
        "brand": ["Aga", "Bee"],
        "price_max": "20.00",
        "attributes": {"colour": ["red"], "litres": 0.3},
        "filter": "'sale' in product.tags",
        "sort": "price",
    }
    answer = door.post("/v1/recommendations/popular", body)
    assert [item["id"] for item in answer.json()["items"]] == ["red-mug"]
    page = {"requests": [{"placement": "popular", "rating_min": 4.5, "count": 9}]}
    (slate,) = door.post("/v1/recommendations", page).json()["slates"]
    assert {item["id"] for item in slate["items"]} == {"red-mug", "rug"}


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("relevance", ["lamp", "plate", "red-mug", "rug"]),
        ("popularity", ["lamp", "plate", "red-mug", "rug"]),
        ("price", ["red-mug", "plate", "lamp", "rug"]),
        ("-price", ["lamp", "plate", "red-mug", "rug"]),
        ("rating", ["rug", "red-mug", "lamp", "plate"]),
        ("newest", ["rug", "lamp", "plate", "red-mug"]),
        ("discount", ["red-mug", "lamp", "plate", "rug"]),
    ],
)
def test_another_order(door, sort, ids):
    assert door.shown("popular", count=10, sort=sort) == ids


@pytest.mark.parametrize(
    ("query", "pointer", "words"),
    [
        ({"sort": "pric"}, "/sort", "did you mean `price`?"),
        ({"price_min": "cheap"}, "/query/price_min", "must be a price"),
        ({"price_min": "-1"}, "/price_min", "0 or more"),
        ({"price_min": "NaN"}, "/price_min", "0 or more"),
        ({"price_min": "5", "price_max": "4"}, "/price_min", "above price_max"),
        ({"rating_min": "6"}, "/rating_min", "0 to 5"),
        ({"rating_min": "nan"}, "/rating_min", "0 to 5"),
        ({"in_stock": "maybe"}, "/query/in_stock", "true or false"),
        ({"brand": ["x"] * 51}, "/brand", "at most 50"),
        ({"attr.": "x"}, "/query/attr.", "parameters are"),
        ({"filter": "product.pric < 3"}, "/filter", "at character 9: `product` has no field"),
        ({"filter": "product.price <"}, "/filter", "at character 16"),
        ({"filter": "product.cost < 3"}, "/filter", "cannot be read here"),
        ({"filter": "product.margin > 0.1"}, "/filter", "cannot be read here"),
        ({"filter": "visitor.spend > 3"}, "/filter", "cannot read the visitor"),
        ({"filter": "product.brand.matches('(a+)+$')"}, "/filter", "regular expressions"),
        ({"filter": "product.price"}, "/filter", "gives a double"),
        ({"filter": "x" * 5_000}, "/filter", "at most 4,096"),
    ],
)
def test_mistakes_name_the_field_and_the_place(door, query, pointer, words):
    answer = door.get("/v1/recommendations/popular", **query)
    assert answer.status == 422, answer
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert words in error["message"]


def test_a_body_with_mistakes_is_refused_with_all_of_them(door):
    body = {"attributes": {"colour": []}, "sort": "x", "filter": "1 +", "price_max": "1e30"}
    answer = door.post("/v1/recommendations/popular", body)
    assert answer.status == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/attributes/colour", "/sort", "/filter", "/price_max"}


def test_why_not_names_the_value_that_was_lacking(door):
    for query, product, by, why in [
        ({"brand": "Aga"}, "lamp", "brand", "its brand is Lux, asked for was Aga"),
        ({"price_max": "10"}, "lamp", "price", "its price is 45, asked for was up to 10"),
        ({"price_max": "10"}, "rug", "price", "it has no price, asked for was up to 10"),
        ({"rating_min": "4.5"}, "lamp", "rating", "its rating is 4, asked for was 4.5 or more"),
        ({"attr.colour": "red"}, "lamp", "attributes.colour", "its colour is white"),
        ({"attr.colour": "red"}, "rug", "attributes.colour", "it has no colour"),
        ({"filter": "product.price < 10"}, "lamp", "filter", "not so that the price is below 10"),
    ]:
        answer = door.get("/v1/recommendations/popular", **query).json()
        found = door.get(f"/v1/recommendations/{answer['token']}/why-not/{product}").json()
        assert (found["shown"], found["by"]) == (False, by)
        assert why in found["why"]
        again = door.get(f"/v1/recommendations/{answer['token']}/replay").json()
        assert again["exact"], again


def test_a_changed_attribute_is_in_the_next_answer(door):
    door.put_product("vase", title="Vase", stock=1, attributes={"shape": "round"})
    assert shown(door, **{"attr.shape": "round"}) == {"vase"}
    door.put_product("vase", title="Vase", stock=1, attributes={"shape": "square"})
    assert shown(door, **{"attr.shape": "round"}) == set()
    assert shown(door, filter="product.attributes.shape == 'square'") == {"vase"}
    door.call("DELETE", "/v1/products/vase")
