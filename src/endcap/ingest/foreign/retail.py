"""User events of Google's Retail API (Vertex AI Search for commerce).

https://cloud.google.com/retail/docs/reference/rest/v2/projects.locations.catalogs.userEvents
"""

from collections.abc import Mapping
from typing import Any

from .fields import Fields, child, events_with, money, objects, text, whole

TYPES = {
    "detail-page-view": "view",
    "add-to-cart": "cart_add",
    "remove-from-cart": "cart_remove",
    "purchase-complete": "purchase",
    "search": "search",
}


def from_user_event(event: Mapping[str, Any]) -> list[Fields]:
    """The events of one user event; page views without products hold none."""
    kind = TYPES.get(text(event, "eventType") or "")
    if kind is None:
        return []
    deal = child(event, "purchaseTransaction")
    currency = text(deal, "currencyCode")
    made: Fields = {
        "type": kind,
        # The visitor is the same before and after a login; userInfo is not there before.
        "visitor": text(event, "visitorId"),
        "session": text(event, "sessionId"),
        "time": text(event, "eventTime"),
        "query": text(event, "searchQuery"),
        "order": text(deal, "id"),
    }
    if kind == "search":
        return events_with(made, []) if made["query"] else []
    lines = []
    if isinstance(event.get("productDetails"), Mapping):  # one product without its list
        event = {**event, "productDetails": [event["productDetails"]]}
    for number, detail in enumerate(objects(event, "productDetails")):
        pointer = f"/productDetails/{number}"
        product = child(detail, "product")
        line: Fields = {
            "id": text(product, "id"),
            "quantity": whole(text(detail, "quantity"), f"{pointer}/quantity"),
        }
        price = money(
            text(child(product, "priceInfo"), "price"), currency, f"{pointer}/product/priceInfo"
        )
        lines.append(line | ({"price": price} if price is not None else {}))
    if kind == "purchase":
        total = money(text(deal, "revenue"), currency, "/purchaseTransaction/revenue")
        made |= {"currency": currency, "total": total}
        if made["order"]:
            made["event_id"] = f"retail:purchase:{made['order']}"[:200]
    return events_with(made, lines)
