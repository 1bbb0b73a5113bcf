"""The pages of the demo shop: each asks for its slates as any shop would."""

from typing import Any

import msgspec

from endcap.core.answer import Slate
from endcap.core.errors import NotFound
from endcap.core.request import PageRequest, RecommendationRequest

from .browsing import Browsing, lines_of, total

LISTED = 36
Slots = tuple[tuple[str, dict[str, Any]], ...]


class Shelf(msgspec.Struct, frozen=True):
    """One slate of a page with its heading."""

    title: str
    slate: Slate


class View(msgspec.Struct, frozen=True):
    """What the template shows."""

    heading: str
    shelves: list[Shelf]
    more: dict[str, Any] = {}


async def front(browsing: Browsing) -> View:
    """The front page: for this visitor, what trends, and what was looked at."""
    slots: Slots = (("home", {"count": 6}), ("recently_viewed", {"count": 6}))
    return View("Gifts for every day", await shelves(browsing, (*slots, ("trending", {}))))


async def listing(browsing: Browsing) -> View:
    """A category, best sellers first, or what a search finds."""
    query = browsing.request.query_params
    category, search = query.get("category", "")[:300], query.get("search", "").strip()[:200]
    services, shop = browsing.services, browsing.shop
    if search:
        await browsing.send({"type": "search", "query": search})
        found = services.inspector.titles(shop, search, LISTED)
        cards = services.shopfront.cards(shop, [product for product, _ in found])
        slots: Slots = (("search", {"search": search, "count": 4}),)
        return View(f"“{search}”", await shelves(browsing, slots), {"cards": cards})
    slots = (("popular", {"category": category or None, "count": LISTED}),)
    return View(category or "Everything", await shelves(browsing, slots))


async def product(browsing: Browsing) -> View:
    """A product with what goes with it; looking is a view, coming from a slate a click."""
    name = browsing.request.path_params["id"]
    cards = browsing.services.shopfront.cards(browsing.shop, [name])
    if not cards:
        raise NotFound(f"the shop has no product `{name[:200]}`")
    click = browsing.click()
    await browsing.send(*([click] if click else []), {"type": "view", "product": name})
    seed = {"seed": [name], "count": 4}
    slots: Slots = (("product", seed), ("similar", seed), ("recently_viewed", {**seed, "count": 4}))
    return View(cards[0].get("title", name), await shelves(browsing, slots), {"card": cards[0]})


async def cart(browsing: Browsing) -> View:
    """The cart with what is often bought with it."""
    cards = browsing.services.shopfront.cards(browsing.shop, list(browsing.cart))
    lines = [{**card, "quantity": browsing.cart[card["id"]]} for card in cards]
    sums = {"lines": lines, "total": total(lines_of(browsing.cart, cards))}
    slots: Slots = (("cart", {"cart": list(browsing.cart), "count": 4}),) if cards else ()
    slots = slots or (("popular", {"count": 4}),)
    return View("Your cart", await shelves(browsing, slots), sums)


async def ordered(browsing: Browsing) -> View:
    """After an order: what could be next."""
    order = browsing.request.path_params["order"][:80]
    return View("Thank you", await shelves(browsing, (("order", {"count": 8}),)), {"order": order})


async def shelves(browsing: Browsing, slots: Slots) -> list[Shelf]:
    """The slates of a page, no product twice, with the titles of their placements."""
    placements = browsing.services.placements
    views = {view.name: view.placement for view in await placements.list(browsing.shop)}
    known = [(name, fields) for name, fields in slots if views.get(name) is not None]
    if not known:
        return []
    requests = [
        RecommendationRequest(placement=name, visitor=browsing.visitor, **fields)
        for name, fields in known
    ]
    slates = await browsing.services.recommender.page(browsing.shop, PageRequest(requests=requests))
    found = []
    for slate in slates:
        live = views[slate.placement]
        title = live.title if live is not None and live.title else slate.placement
        found.append(Shelf(title, slate))
    return found
