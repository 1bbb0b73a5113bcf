"""Segment's e-commerce events, v2: one `track` call or a `/v1/batch` body.

https://segment.com/docs/connections/spec/ecommerce/v2/
"""

from collections.abc import Mapping
from typing import Any

from .fields import Fields, child, events_with, money, objects, text, whole

TYPES = {
    "Product Viewed": "view",
    "Product List Viewed": "impression",
    "Product Clicked": "click",
    "Product Added": "cart_add",
    "Product Removed": "cart_remove",
    "Product Added to Wishlist": "wishlist_add",
    "Order Completed": "purchase",
    "Order Refunded": "refund",
    "Products Searched": "search",
}
TOKEN = "endcap_token"  # noqa: S105 - the name of a property


def from_batch(body: Mapping[str, Any]) -> list[Fields]:
    """The events of a batch; calls other than `track` hold none."""
    return [fields for message in objects(body, "batch") for fields in from_track(message)]


def from_track(message: Mapping[str, Any]) -> list[Fields]:
    """The events of one call."""
    kind = TYPES.get(text(message, "event") or "")
    if kind is None or message.get("type", "track") != "track":
        return []
    properties = child(message, "properties")
    token = text(properties, TOKEN)
    if kind == "impression" and token is None:
        return []
    currency = text(properties, "currency")
    event: Fields = {
        "event_id": text(message, "messageId"),
        "type": kind,
        "visitor": text(message, "userId", "anonymousId"),
        "time": text(message, "timestamp", "originalTimestamp"),
        "token": token,
        "order": text(properties, "order_id"),
        "query": text(properties, "query"),
    }
    lines = [_line(p, currency, n) for n, p in enumerate(objects(properties, "products"))]
    if not lines and text(properties, "product_id", "sku"):
        lines = [_line(properties, currency, 0)]
    if kind == "search":
        return events_with(event, []) if event["query"] else []
    if kind in ("purchase", "refund"):
        total = money(text(properties, "total", "revenue"), currency, "/properties/total")
        event |= {"currency": currency, "total": total}
    elif any("price" in line for line in lines):
        event["currency"] = currency
    return events_with(event, lines)


def _line(product: Mapping[str, Any], currency: str | None, number: int) -> Fields:
    pointer = f"/properties/products/{number}"
    line: Fields = {
        "id": text(product, "product_id", "sku"),
        "quantity": whole(text(product, "quantity"), f"{pointer}/quantity"),
    }
    price = money(text(product, "price"), currency, f"{pointer}/price")
    return line | ({"price": price} if price is not None else {})
