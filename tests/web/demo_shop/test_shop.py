"""The demo shop front: pages, events sent for real, recommendations that follow the clicks."""

import json
import re
from urllib.parse import urlencode

import pytest

from door import open_door
from endcap.core.placement import ControlRecord

HOSTILE = "Lamp <script>alert(1)</script>"


def stock(door):
    for n in range(8):
        door.put_product(
            f"mug-{n}", title=f"Mug {n}", price="5.00", stock=9, categories=["Kitchen > Mugs"],
            attributes={"colour": "red"},
        )  # fmt: skip
        door.put_product(f"bag-{n}", title=f"Bag {n}", price="9.00", stock=9, categories=["Bags"])
    door.put_product("lamp", title=HOSTILE, price="7.00", stock=1, categories=["Home"])
    # Two groups of customers: mugs go with mugs, bags with bags.
    door.send(
        *(
            {"type": "purchase", "visitor": f"{kind}{n}", "order": f"{kind}{n}",
             "event_id": f"{kind}{n}",
             "products": [{"id": f"{kind}-{i}", "price": "1.00"} for i in range(n % 3, 8)]}
            for kind in ("mug", "bag") for n in range(12)
        )
    )  # fmt: skip
    door.build()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo_shop")
    with open_door(folder) as door:
        assert door.get("/demo-shop").status == 404  # no shop of the demo's data
        stock(door)
        record = ControlRecord(
            kind="demo", name="x", version=0, body=b"{}", author="t", note="", created_at=1
        )
        door.installation.store.control.put("default", record, 0)
    with open_door(folder) as door:
        yield door


class Shopper:
    """A browser: keeps its cookies."""

    def __init__(self, door):
        self.door = door
        self.cookies = {}

    def call(self, method, path, **form):
        headers = [("cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))]
        body = urlencode(form).encode() if method == "POST" else None
        answer = self.door.call(method, path, body, headers)
        set_cookie = answer.headers.get("set-cookie")
        if set_cookie:
            name, value = set_cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value.strip('"')
        return answer

    def open(self, path):
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.body.decode()

    def shelf(self, placement, page):
        found = re.search(rf'data-placement="{placement}">(.*?)</section>', page, re.S)
        return re.findall(r'data-product="([^"]+)"', found.group(1)) if found else []


def events(door, kind):
    log = door.installation.store.events
    return [e for e in log.after("default", 0, 10_000) if e.type == kind and e.source != "api"]


def test_the_front_page_follows_the_clicks(shop):
    shopper = Shopper(shop)
    shopper.open("/demo-shop")
    for product in ("mug-5", "mug-6"):
        shopper.open(f"/demo-shop/products/{product}")
    page = shopper.open("/demo-shop")
    recommended = shopper.shelf("home", page)
    assert recommended
    assert all(product.startswith("mug") for product in recommended[:4]), recommended
    other = Shopper(shop)
    other.open("/demo-shop/products/bag-6")
    found = other.shelf("home", other.open("/demo-shop"))
    assert all(product.startswith("bag") for product in found[:4]), found


def test_a_click_carries_the_token_and_counts_once(shop):
    shopper = Shopper(shop)
    page = shopper.open("/demo-shop/products/mug-1")
    link = re.search(r'href="(/demo-shop/products/[^"?]+\?from=([^"]+))"', page)
    before = len(events(shop, "click"))
    shopper.open(link.group(1))
    shopper.open(link.group(1))
    clicks = events(shop, "click")
    assert len(clicks) == before + 1
    assert clicks[-1].token == link.group(2)


def test_what_was_seen_is_an_impression(shop):
    shopper = Shopper(shop)
    page = shopper.open("/demo-shop")
    token = re.search(r'data-token="([^"]+)" data-placement="home"', page).group(1)
    first = shopper.shelf("home", page)[:2]
    form = {"token": token, "placement": "home", "products": " ".join(first)}
    assert shopper.call("POST", "/demo-shop/seen", **form).status == 204
    assert [e.lines[0].product for e in events(shop, "impression")[-2:]] == first


def test_cart_and_order(shop):
    shopper = Shopper(shop)
    shopper.open("/demo-shop/products/mug-1")
    put = shopper.call("POST", "/demo-shop/cart", product="mug-1", quantity="2")
    assert (put.status, put.headers["location"]) == (303, "/demo-shop/cart?said=cart")
    page = shopper.open("/demo-shop/cart")
    assert "10.00" in page
    assert "mug-1" not in shopper.shelf("cart", page)
    assert events(shop, "cart_add")[-1].lines[0].product == "mug-1"
    ordered = shopper.call("POST", "/demo-shop/order")
    assert ordered.status == 303, ordered
    assert "mug-1" not in shopper.shelf("order", shopper.open(ordered.headers["location"]))
    bought = events(shop, "purchase")[-1]
    assert (bought.lines[0].product, bought.lines[0].quantity, bought.lines[0].price) == (
        "mug-1", 2, 500,
    )  # fmt: skip
    assert "Nothing in it yet" in shopper.open("/demo-shop/cart")


def test_reasons_are_on_a_toggle(shop):
    shopper = Shopper(shop)
    assert 'class="reasons"' not in shopper.open("/demo-shop/products/mug-1")
    shopper.call("POST", "/demo-shop/reasons", back="/demo-shop/products/mug-1")
    assert 'class="reasons"' in shopper.open("/demo-shop/products/mug-1")


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/demo-shop.evil", ""])
def test_going_back_stays_in_the_shop(shop, back):
    answer = shop.post("/demo-shop/reasons", urlencode({"back": back}).encode())
    assert answer.headers["location"] == "/demo-shop"


def test_categories_and_search(shop):
    shopper = Shopper(shop)
    page = shopper.open("/demo-shop/products?category=Kitchen")
    assert "Mugs" in page
    assert "Bag 1" not in page
    assert "Bag 1" in shopper.open("/demo-shop/products?search=bag")
    assert "Nothing found" in shopper.open("/demo-shop/products?search=zebra")


def test_hostile_titles_are_text(shop):
    shopper = Shopper(shop)
    for path in ("/demo-shop/products/lamp", "/demo-shop/products?search=lamp"):
        page = shopper.open(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_pictures_are_drawn_here(shop):
    answer = shop.get("/demo-shop/pictures/mug-1.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert b"#c0453c" in answer.body
    assert answer.body == shop.get("/demo-shop/pictures/mug-1.svg").body
    assert shop.get("/demo-shop/pictures/none.svg").status == 404


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/demo-shop/cart", {"product": "none"}, 404),
        ("/demo-shop/cart", {"product": "mug-1", "quantity": "-1"}, 422),
        ("/demo-shop/order", {}, 422),
    ],
)
def test_what_cannot_be_done_is_said(shop, path, form, status):
    answer = shop.post(path, urlencode(form).encode())
    assert answer.status == status, answer
    assert "That did not work" in answer.body.decode()


@pytest.mark.parametrize("cookie", ["%%%", "a*b|c", "x*9999", json.dumps({"a": 1}), "|" * 500])
def test_a_broken_cart_is_an_empty_one(shop, cookie):
    answer = shop.call("GET", "/demo-shop/cart", None, [("cookie", f"demo_cart={cookie}")])
    assert answer.status == 200
