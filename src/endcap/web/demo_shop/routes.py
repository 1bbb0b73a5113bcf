"""The routes of the demo shop; they are there only when the shop holds the demo's data."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from endcap.core.errors import EndcapError, InvalidInput, NotFound
from endcap.web import problems
from endcap.web.auth.pagecalls import read_form
from endcap.web.services import AppServices

from . import pages
from .browsing import CART, REASONS, ROOT, VISITOR, Browsing, lines_of, shown_in
from .pictures import picture

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {"content-security-policy": CSP, "cache-control": "private, no-store"}
CACHED = {"cache-control": "public, max-age=3600"}
PICTURE_HEADERS = {**CACHED, "content-security-policy": "default-src 'none'"}
TYPES = {"shop.css": "text/css", "shop.js": "text/javascript"}
SHOWN = {
    "": ("front.html", pages.front),
    "/products": ("listing.html", pages.listing),
    "/products/{id:path}": ("product.html", pages.product),
    "/cart": ("cart.html", pages.cart),
    "/orders/{order}": ("order.html", pages.ordered),
}
Show = Callable[[Browsing], Awaitable[pages.View]]
Act = Callable[[Browsing, dict[str, str]], Awaitable[Response]]


def routes(services: AppServices) -> list[Route]:
    """Every address below `/demo-shop`."""
    made = [
        Route(f"{ROOT}/assets/{{name}}", _asset),
        Route(f"{ROOT}/pictures/{{id:path}}.svg", _picture(services)),
    ]
    for path, (template, show) in SHOWN.items():
        made.append(Route(ROOT + path, _shown(template, show, services)))
    for path, act in ACTS.items():
        made.append(Route(ROOT + path, _acting(act, services), methods=["POST"]))
    return made


def _shown(template: str, show: Show, services: AppServices) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        browsing = Browsing(request, services)
        try:
            view = await show(browsing)
        except EndcapError as error:
            problem = pages.View("That did not work", [], {"problem": error.detail})
            return _page("problem.html", browsing, problem, error.status)
        return _page(template, browsing, view)

    return endpoint


def _page(template: str, browsing: Browsing, view: pages.View, status: int = 200) -> Response:
    content = (
        _environment()
        .get_template(template)
        .render(
            d=msgspec.json.decode(msgspec.json.encode(view)),
            categories=browsing.services.shopfront.categories(browsing.shop),
            visitor=browsing.visitor,
            reasons=browsing.reasons,
            in_cart=sum(browsing.cart.values()),
            said=SAID.get(browsing.request.query_params.get("said", ""), ""),
            address=_address(browsing.request),
            query=dict(browsing.request.query_params),
        )
    )
    return browsing.finish(Response(content, status, HEADERS, "text/html"))


SAID = {"cart": "It is in your cart.", "new": "You are somebody new now."}


async def _change_cart(browsing: Browsing, form: dict[str, str]) -> Response:
    product, text = form.get("product", ""), form.get("quantity", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise InvalidInput("the quantity must be a number from 0 to 99")
    if not browsing.services.shopfront.cards(browsing.shop, [product]):
        raise NotFound(f"the shop has no product `{product[:200]}`")
    kind = "cart_add" if int(text) and product not in browsing.cart else "cart_remove"
    if int(text) == 0 or product not in browsing.cart:
        await browsing.send({"type": kind, "product": product, "quantity": int(text) or 1})
    browsing.put(product, int(text))
    return _go("/cart?said=cart" if kind == "cart_add" else "/cart")


async def _order(browsing: Browsing, _: dict[str, str]) -> Response:
    cards = browsing.services.shopfront.cards(browsing.shop, list(browsing.cart))
    lines = lines_of(browsing.cart, cards)
    if not lines:
        raise InvalidInput("the cart is empty")
    number = f"{browsing.visitor}-{browsing.services.clock()}"
    event = {"type": "purchase", "order": number, "event_id": number, "products": lines}
    await browsing.send({**event, "currency": cards[0].get("currency")})
    browsing.empty()
    return _go(f"/orders/{number}")


async def _toggle(browsing: Browsing, form: dict[str, str]) -> Response:
    browsing.keep(REASONS, "" if browsing.reasons else "1")
    return _go(_back(form.get("back", "")))


async def _forget(browsing: Browsing, _: dict[str, str]) -> Response:
    browsing.keep(VISITOR, "")
    browsing.keep(CART, "")
    return _go("?said=new")


async def _seen(browsing: Browsing, form: dict[str, str]) -> Response:
    """What came into view, told by the page's script: a token, a placement, and products."""
    products = [product for product in form.get("products", "").split(" ") if product][:100]
    token, placement = form.get("token", "")[:64], form.get("placement", "")[:200]
    if products and token:
        await browsing.send(
            *(
                {
                    "type": "impression",
                    "product": product,
                    "token": token,
                    "context": shown_in(placement),
                    "event_id": f"seen-{token}-{product}"[:200],
                }
                for product in products
            )
        )
    return Response(status_code=204)


ACTS: dict[str, Act] = {
    "/cart": _change_cart,
    "/order": _order,
    "/reasons": _toggle,
    "/forget": _forget,
    "/seen": _seen,
}


def _acting(act: Act, services: AppServices) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        browsing = Browsing(request, services)
        try:
            # Lax cookies stay away from posts of other sites, so a form needs no token.
            return browsing.finish(await act(browsing, await read_form(request)))
        except EndcapError as error:
            problem = pages.View("That did not work", [], {"problem": error.detail})
            return _page("problem.html", browsing, problem, error.status)

    return endpoint


def _go(path: str) -> Response:
    return RedirectResponse(ROOT + path, 303)


def _back(address: str) -> str:
    """The page of this shop to go back to; anything else leads to the front page."""
    plain = address.startswith(ROOT) and address.isascii() and address.isprintable()
    return (
        address.removeprefix(ROOT) if plain and address[len(ROOT) :][:1] in ("", "/", "?") else ""
    )


def _address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query


def _picture(services: AppServices) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        cards = services.shopfront.cards(services.door.shop, [request.path_params["id"]])
        if not cards:
            raise problems.NoSuchRoute
        return Response(picture(cards[0]), media_type="image/svg+xml", headers=PICTURE_HEADERS)

    return endpoint


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in TYPES:
        raise problems.NoSuchRoute
    content = resources.files(__package__).joinpath("static", name).read_bytes()
    return Response(content, media_type=TYPES[name], headers=CACHED)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("endcap.web.demo_shop", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
