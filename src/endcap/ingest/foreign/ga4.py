"""GA4: Measurement Protocol bodies, and rows of the BigQuery export.

https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events and
https://support.google.com/analytics/answer/7029846 (BigQuery export schema).
"""

from collections.abc import Mapping
from typing import Any

from .fields import Fields, child, events_with, moment, money, objects, text, whole

TYPES = {
    "view_item": "view",
    "view_item_list": "impression",
    "select_item": "click",
    "add_to_cart": "cart_add",
    "remove_from_cart": "cart_remove",
    "add_to_wishlist": "wishlist_add",
    "purchase": "purchase",
    "refund": "refund",
    "search": "search",
    "view_search_results": "search",
}
TOKEN = "endcap_token"  # noqa: S105 - the name of a parameter


def from_measurement(body: Mapping[str, Any]) -> list[Fields]:
    """The events of a Measurement Protocol body."""
    visitor = text(body, "user_id", "client_id")
    shared = text(body, "timestamp_micros")
    found: list[Fields] = []
    for event in objects(body, "events"):
        params = child(event, "params")
        micros = text(event, "timestamp_micros") or shared
        session = text(params, "session_id", "ga_session_id")
        base = {
            "visitor": visitor,
            "session": session and f"{visitor}.{session}",
            "time": moment(micros, "/timestamp_micros"),
        }
        found += _mapped(text(event, "name"), params, base)
    return found


def from_bigquery(row: Mapping[str, Any]) -> list[Fields]:
    """The events of a row of `events_YYYYMMDD`."""
    params = _parameters(row)
    visitor = text(row, "user_id", "user_pseudo_id")
    session = text(params, "ga_session_id")
    name = text(row, "event_name")
    micros = text(row, "event_timestamp")
    deal = child(row, "ecommerce")
    merged = {
        **params,
        "items": row.get("items"),
        "transaction_id": text(deal, "transaction_id") or params.get("transaction_id"),
        "value": text(deal, "purchase_revenue", "refund_value") or params.get("value"),
    }
    base = {
        "visitor": visitor,
        "session": session and f"{visitor}.{session}",
        "time": moment(micros, "/event_timestamp"),
        "context": _context(row),
    }
    # The export gives an event no id; its parts name it, so that importing twice counts once.
    order = text(row, "event_bundle_sequence_id") or ""
    base["event_id"] = f"ga4:{visitor}:{micros}:{name}:{order}"[:190]
    return _mapped(name, merged, base)


def _mapped(name: str | None, params: Mapping[str, Any], base: Fields) -> list[Fields]:
    kind = TYPES.get(name or "")
    if kind is None:
        return []
    currency = text(params, "currency")
    items = objects(params, "items")
    token = text(params, TOKEN) or next((t for i in items if (t := text(i, TOKEN))), None)
    if kind == "impression" and token is None:
        return []  # a list of the shop's own, not a slate of ours
    event = {**base, "type": kind, "token": token}
    lines = [_line(item, currency, n) for n, item in enumerate(items)]
    if kind == "search":
        return [event | {"query": text(params, "search_term")}] if params.get("search_term") else []
    if kind in ("purchase", "refund"):
        order = text(params, "transaction_id")
        event |= {
            "order": order,
            "currency": currency,
            "total": money(text(params, "value"), currency, "/value"),
        }
        if order:
            event["event_id"] = f"ga4:{kind}:{order}"[:200] if kind == "purchase" else None
    elif any("price" in line for line in lines):
        event["currency"] = currency
    return events_with(event, lines)


def _line(item: Mapping[str, Any], currency: str | None, number: int) -> Fields:
    line: Fields = {
        "id": text(item, "item_id", "item_name"),
        "quantity": whole(text(item, "quantity"), f"/items/{number}/quantity"),
    }
    price = money(text(item, "price"), currency, f"/items/{number}/price")
    return line | ({"price": price} if price is not None else {})


def _parameters(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for parameter in objects(row, "event_params"):
        values = child(parameter, "value")
        kinds = ("string_value", "int_value", "double_value", "float_value")
        found[str(parameter.get("key"))] = text(values, *kinds)
    return found


def _context(row: Mapping[str, Any]) -> Fields | None:
    category = text(child(row, "device"), "category")
    names = {"mobile": "phone"}
    return {"device": names.get(category, category)} if category else None
