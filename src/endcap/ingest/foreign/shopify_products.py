"""Shopify's product CSV, old headings and new ones.

https://help.shopify.com/en/manual/products/import-export/using-csv
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from endcap.ingest.formats.rows import Fields

from .fields import filled, money, whole
from .products import category_path, clean, mapped_row

Row = Mapping[str, Any]
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
# Each field under its old and its new heading; they are compared in small letters.
_COLUMNS = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "description"),
    "vendor": ("vendor",),
    "category": ("product category",),
    "type": ("type",),
    "tags": ("tags",),
    "published": ("published", "published on online store"),
    "status": ("status",),
    "sku": ("variant sku", "sku"),
    "price": ("variant price", "price"),
    "compare": ("variant compare at price", "compare-at price"),
    "cost": ("cost per item",),
    "quantity": ("variant inventory qty", "inventory quantity"),
    "tracker": ("variant inventory tracker", "inventory tracker"),
    "fulfillment": ("variant fulfillment service", "fulfillment service"),
    "policy": ("variant inventory policy", "continue selling when out of stock"),
    "barcode": ("variant barcode", "barcode"),
    "image": ("image src", "product image url"),
    "variant_image": ("variant image", "variant image url"),
}
_SHARED = ("title", "body", "vendor", "category", "type", "tags", "published", "status", "image")


def shopify_rows(rows: Iterable[Fields]) -> Iterator[Fields]:
    """Rows of Shopify's product CSV: a product's first row has what its other variants share.

    Rows with an image only are no variant. Drafts and archived products are discontinued.
    """
    shared: dict[str, str] = {}
    for row in rows:
        if row.fields is None:
            yield row
            continue
        values = _columns(row.fields)
        if values.get("handle") != shared.get("handle") or "title" in values:
            first = {name: values[name] for name in _SHARED if name in values}
            shared = {"handle": values.get("handle", ""), **first}
            shared |= {n: v for n, v in values.items() if n.startswith("option") and "name" in n}
        if "sku" in values or "price" in values:
            yield mapped_row(Fields(row.line, {**shared, **values}), _variant)


def _columns(row: Row) -> dict[str, str]:
    plain = {name.strip().lower(): value for name, value in row.items()}
    found = {
        ours: plain[name] for ours, names in _COLUMNS.items() for name in names if name in plain
    }
    for number in (1, 2, 3):
        for part in ("name", "value"):
            value = plain.get(f"option{number} {part}")
            if value:
                found[f"option{number} {part}"] = value
    return found


def _variant(row: Row) -> dict[str, Any]:
    handle = row["handle"]
    options = {
        row.get(f"option{n} name", f"option{n}"): row[f"option{n} value"]
        for n in (1, 2, 3)
        if f"option{n} value" in row and row[f"option{n} value"] != "Default Title"
    }
    price = money(row.get("price"), None, "/Variant Price")
    compare = money(row.get("compare"), None, "/Variant Compare At Price")
    stock = row.get("quantity")
    count = None if stock is None else max(0, whole(stock, "/Variant Inventory Qty"))
    sells_on = row.get("policy", "deny").lower() in ("continue", "true")
    # A blank tracker says that the shop does not count this variant. Blank fields are not in the
    # row; that the file has the column at all shows in the one that stands beside it.
    untracked = "fulfillment" in row and "tracker" not in row
    live = row.get("status", "active").lower() == "active"
    names = {
        re.sub(r"[^A-Za-z0-9_.-]+", "_", n.strip().lower())[:64]: v for n, v in options.items()
    }
    return {
        "id": row.get("sku") or "/".join([handle, *options.values()])[:200],
        "title": clean(row.get("title"), 500),
        "description": clean(row.get("body"), 20_000),
        "url": f"/products/{handle}" if handle else None,
        "image": row.get("variant_image") or row.get("image"),
        "brand": clean(row.get("vendor"), 200),
        "categories": [
            path
            for path in (category_path(row.get("category")), category_path(row.get("type")))
            if path
        ],
        "price": price,
        "list_price": compare if compare and price and float(compare) > float(price) else None,
        "cost": money(row.get("cost"), None, "/Cost per item"),
        "stock": None if sells_on or untracked else count,
        "availability": None if live else "discontinued",
        "group": handle,
        "tags": [t.strip() for t in row.get("tags", "").split(",") if t.strip()],
        "attributes": filled({**names, "barcode": row.get("barcode", "").lstrip("'")}),
    }
