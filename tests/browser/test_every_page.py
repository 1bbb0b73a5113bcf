"""Every page in a real browser: reachable for all, in both schemes, on a phone, and inert."""

from urllib.parse import urlencode

import pytest

from browsing import PAYLOADS
from endcap.web.dashboard.routes import found

PLAIN = [f"/dashboard{page.path}" for page in found()[0] if "{" not in page.path]
PAGES = [
    *PLAIN,
    "/dashboard/placements/popular?why=mug-9",
    "/dashboard/placements/popular/edit",
    "/dashboard/placements/popular/compare",
    "/dashboard/rules/new-one",
    "/dashboard/experiments/new-one",
    "/dashboard/products/mug-1",
    "/dashboard/products/odd-0",
    "/dashboard/visitors?id=v1",
    "/demo-shop",
    "/demo-shop/products?category=Odd",
    "/demo-shop/products/mug-1",
    "/demo-shop/cart",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everybody(visit, path):
    visit.open(path)
    visit.check_access()


def test_the_keyboard_reaches_everything(visit):
    page = visit.open("/dashboard/rules/by-keys")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.tagName"))
    wanted = page.evaluate(
        "[...document.querySelectorAll('main input, main select, main textarea')]"
        ".filter((one) => one.type !== 'hidden')"
        ".filter((one) => one.offsetParent).map((one) => one.name)"
    )
    assert set(wanted) <= reached
    assert "BUTTON" in reached or "" in reached


@pytest.mark.parametrize("path", ["/dashboard/products", "/dashboard/audit", "/demo-shop"])
def test_a_slash_goes_to_the_search(visit, path):
    page = visit.open(path)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.hasAttribute('data-search')")
    assert page.evaluate("document.activeElement.value") == ""


def test_hostile_texts_in_the_data_do_not_run(visit):
    assert len(set(PAYLOADS)) == 60
    for path in (
        "/dashboard/products?search=ran", "/dashboard/live?pause=1",
        "/dashboard/reports?group_by=product", "/demo-shop/products?category=Odd",
        "/demo-shop/products?search=ran", "/dashboard/placements/new_arrivals?seed=odd-3",
        "/dashboard/products/odd-14", "/dashboard/visitors?id=odd",
    ):  # fmt: skip
        visit.open(path)
        assert visit.ran() == [0, 0], path


def test_hostile_texts_in_addresses_do_not_run(visit):
    for n, payload in enumerate(PAYLOADS):
        path, field = (
            ("/dashboard/products", "search"), ("/dashboard/visitors", "id"),
            ("/dashboard/words", "where"), ("/demo-shop/products", "search"),
            ("/dashboard/home", "said"), ("/dashboard/rules/x", "title"),
        )[n % 6]  # fmt: skip
        visit.open(f"{path}?{urlencode({field: payload})}")
        assert visit.ran() == [0, 0], (path, payload)
