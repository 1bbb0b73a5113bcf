"""Products: find one, and see where it is shown, with whom it goes, and what happens to it."""

import msgspec

from endcap.core.errors import NotFound
from endcap.core.receipt import ProductView
from endcap.services.inspect import ProductFacts
from endcap.web.dashboard.page import Page, PageCall

SHOWN = 60


class Found(msgspec.Struct, frozen=True):
    """Products that match the search."""

    search: str
    products: list[tuple[str, str]]


class Detail(msgspec.Struct, frozen=True):
    """One product."""

    heading: str
    view: ProductView
    facts: ProductFacts
    placements: list[dict[str, object]]
    total: dict[str, object]
    currency: str


async def products(call: PageCall) -> Found:
    """Products by id or title."""
    search = call.query.get("search", "").strip()
    return Found(search, call.services.inspector.titles(call.shop, search, SHOWN))


async def product(call: PageCall) -> Detail:
    """One product with its partners, its counts and where it was shown in 28 days."""
    name = call.path["id"]
    view = await call.services.catalogue.get(call.shop, name)
    facts = call.services.inspector.product(call.shop, name)
    if facts is None:
        raise NotFound(f"no product `{name}`")
    usual = call.services.reports.question(("placement",))
    asked = msgspec.structs.replace(usual, filters={"product": name})
    report = await call.services.reports.performance(call.shop, asked)
    fields = msgspec.json.decode(view.product)
    return Detail(
        heading=fields.get("title") or name,
        view=view,
        facts=facts,
        placements=report.rows,
        total=report.total,
        currency=report.currency,
    )


PAGES = (
    Page(
        id="products",
        path="/products",
        title="Products",
        template="products.html",
        data=products,
        scope="catalogue:read",
        group="Understand",
        place=10,
    ),
    Page(
        id="product",
        path="/products/{id:path}",
        title="Product",
        template="product.html",
        data=product,
    ),
)
