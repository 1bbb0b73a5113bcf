"""Who browses the demo shop and what is in the cart: two cookies, and the events of a step."""

import secrets
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from endcap.core.event import Context, EventIn, LineIn
from endcap.web.services import AppServices

ROOT = "/demo-shop"
SOURCE = "demo-shop"
VISITOR, CART, REASONS = "demo_visitor", "demo_cart", "demo_reasons"
MAX_CART = 20
MAX_QUANTITY = 99


class Browsing:
    """One request of a shopper: their visitor id, cart, and whether reasons are shown."""

    def __init__(self, request: Request, services: AppServices) -> None:
        self.request = request
        self.services = services
        self.shop = services.door.shop
        known = request.cookies.get(VISITOR, "")
        fresh = not (known.startswith("demo-") and known.isascii() and 8 <= len(known) <= 40)
        self.visitor = f"demo-{secrets.token_hex(6)}" if fresh else known
        self.cart = _cart(request.cookies.get(CART, ""))
        self.reasons = request.cookies.get(REASONS) == "1"
        self._keep: dict[str, str] = {VISITOR: self.visitor} if fresh else {}

    async def send(self, *events: dict[str, Any]) -> None:
        """Send what the shopper did, as a shop's server would."""
        taken = [EventIn(visitor=self.visitor, **event) for event in events]
        await self.services.collector.take(self.shop, SOURCE, taken)

    def click(self) -> dict[str, Any] | None:
        """The click that led here, when the address says from which slate.

        Loading the page again sends the same event id, so it counts once.
        """
        token = self.request.query_params.get("from", "")
        product = self.request.path_params.get("id", "")
        if not (8 <= len(token) <= 64 and token.isascii() and token.isprintable()):
            return None
        event = f"click-{token}-{product}"[:200]
        return {"type": "click", "product": product, "token": token, "event_id": event}

    def put(self, product: str, quantity: int) -> None:
        """Set how many are in the cart; 0 takes it out."""
        self.cart.pop(product, None)
        if quantity > 0 and len(self.cart) < MAX_CART:
            self.cart[product] = min(quantity, MAX_QUANTITY)
        self.keep_cart()

    def empty(self) -> None:
        """Empty the cart."""
        self.cart.clear()
        self.keep_cart()

    def keep_cart(self) -> None:
        """Write the cart with the answer."""
        lines = "|".join(f"{quote(p, safe='')}*{count}" for p, count in self.cart.items())
        self._keep[CART] = lines

    def keep(self, name: str, value: str) -> None:
        """Set a cookie with the answer; an empty value deletes it."""
        self._keep[name] = value

    def finish(self, response: Response) -> Response:
        """The answer with its cookies."""
        for name, value in self._keep.items():
            if value:
                response.set_cookie(name, value, path=ROOT, httponly=True, samesite="lax")
            else:
                response.delete_cookie(name, path=ROOT)
        return response


def lines_of(cart: dict[str, int], cards: list[dict[str, Any]]) -> list[LineIn]:
    """The cart as lines of an order, at the prices of the catalogue."""
    return [
        LineIn(id=card["id"], quantity=cart[card["id"]], price=Decimal(card["price"]))
        for card in cards
        if "price" in card
    ]


def total(lines: list[LineIn]) -> Decimal:
    """The sum of the lines."""
    return sum((line.quantity * (line.price or Decimal(0)) for line in lines), Decimal(0))


def shown_in(placement: str) -> Context:
    """The context of an event on a placement."""
    return Context(placement=placement)


def _cart(text: str) -> dict[str, int]:
    """The cart of a cookie; what cannot be read is left out."""
    found: dict[str, int] = {}
    for part in text.split("|")[:MAX_CART]:
        product, _, count = part.rpartition("*")
        if product and count.isascii() and count.isdigit() and len(count) <= 2:
            found[unquote(product)] = max(1, int(count))
    return found
