"""Shopify webhooks of orders and refunds.

https://shopify.dev/docs/api/admin-rest/latest/resources/webhook (topics orders/create, orders/paid,
refunds/create). A storefront passes its visitor id on as a cart attribute `endcap_visitor`, which
Shopify puts into the order's note attributes.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

from .fields import Fields, child, filled, money, objects, text, whole

VISITOR = "endcap_visitor"
ORDERS = frozenset({"orders/create", "orders/paid"})


def signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether Shopify signed the body: base64 of HMAC-SHA256 with the app's secret."""
    expected = base64.b64encode(hmac.digest(secret.encode(), body, "sha256"))
    return hmac.compare_digest(expected, signature.encode("latin-1", "replace"))


def from_webhook(topic: str, body: Mapping[str, Any]) -> list[Fields]:
    """The event of a webhook; a topic that is no order or refund gives none."""
    if topic in ORDERS:
        return from_order(body)
    return from_refund(body) if topic == "refunds/create" else []


def from_order(order: Mapping[str, Any]) -> list[Fields]:
    """The purchase of an order. `orders/create` and `orders/paid` of one order are one event."""
    currency = text(order, "currency")
    number = text(order, "id")
    lines = [_line(line, currency, n) for n, line in enumerate(objects(order, "line_items"))]
    return [
        filled(
            {
                "event_id": f"shopify:order:{number}",
                "type": "purchase",
                "visitor": _visitor(order) or f"shopify-order:{number}",
                "order": number,
                "time": text(order, "created_at", "processed_at"),
                "currency": currency,
                "total": money(text(order, "total_price"), currency, "/total_price"),
                "products": [line for line in lines if line["id"]],
            }
        )
    ]


def from_refund(refund: Mapping[str, Any]) -> list[Fields]:
    """The refund of some lines of an order; a refund of shipping only is no event."""
    order = text(refund, "order_id")
    lines = []
    for number, entry in enumerate(objects(refund, "refund_line_items")):
        pointer = f"/refund_line_items/{number}/quantity"
        product = _id(child(entry, "line_item"))
        if product:
            lines.append({"id": product, "quantity": whole(text(entry, "quantity"), pointer)})
    if not lines:
        return []
    return [
        filled(
            {
                "event_id": f"shopify:refund:{text(refund, 'id')}",
                "type": "refund",
                "visitor": f"shopify-order:{order}",
                "order": order,
                "time": text(refund, "created_at"),
                "products": lines,
            }
        )
    ]


def _line(line: Mapping[str, Any], currency: str | None, number: int) -> Fields:
    pointer = f"/line_items/{number}"
    return {
        "id": _id(line),
        "quantity": whole(text(line, "quantity"), f"{pointer}/quantity"),
        "price": money(text(line, "price") or "0", currency, f"{pointer}/price"),
    }


def _id(line: Mapping[str, Any]) -> str | None:
    return text(line, "sku", "variant_id", "product_id")


def _visitor(order: Mapping[str, Any]) -> str | None:
    for attribute in objects(order, "note_attributes"):
        if attribute.get("name") == VISITOR:
            return text(attribute, "value")
    customer = text(child(order, "customer"), "id")
    return customer and f"shopify-customer:{customer}"
