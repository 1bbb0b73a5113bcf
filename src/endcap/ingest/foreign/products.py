"""Products in the forms of feeds: Google Merchant Center, Shopify, schema.org.

Merchant Center: https://support.google.com/merchants/answer/7052112 (product data specification);
Shopify: https://help.shopify.com/en/manual/products/import-export/using-csv;
schema.org: https://schema.org/Product and https://schema.org/ProductGroup.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from endcap.core.errors import EndcapError
from endcap.core.money import is_currency
from endcap.ingest.formats.rows import Fields

from .fields import bad, filled, money, text, whole

Row = Mapping[str, Any]
_AMOUNT = re.compile(r"(?:([A-Z]{3})\s*)?([0-9][0-9.,' ]*)(?:\s*([A-Z]{3}))?")
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_TAG = re.compile(r"<[^>]{0,2000}>")
_AVAILABILITY = {
    "instock": "in_stock",
    "limitedavailability": "in_stock",
    "instoreonly": "in_stock",
    "onlineonly": "in_stock",
    "outofstock": "out_of_stock",
    "soldout": "out_of_stock",
    "preorder": "preorder",
    "presale": "preorder",
    "backorder": "backorder",
    "discontinued": "discontinued",
}
_ATTRIBUTES = (
    "color", "size", "gender", "age_group", "material", "pattern", "condition", "gtin", "mpn",
    "custom_label_0", "custom_label_1", "custom_label_2", "custom_label_3", "custom_label_4",
)  # fmt: skip
_GOOGLE_ONLY = frozenset({"link", "image_link", "availability", "google_product_category", "gtin"})
_SHOPIFY = frozenset({"handle", "url handle"})


def form_of(names: Iterable[str]) -> str:
    """`merchant`, `shopify`, `schema` or `endcap`, by the names of columns or fields."""
    known = {name.strip().lower().removeprefix("g:").replace(" ", "_") for name in names}
    plain = {name.strip().lower() for name in names}
    if {"@type", "@context", "@graph"} & plain:
        return "schema"
    if _SHOPIFY & plain and "title" in plain:
        return "shopify"
    return "merchant" if "id" in known and {"link", "image_link"} & known else "endcap"


def merchant_rows(rows: Iterable[Fields]) -> Iterator[Fields]:
    """Rows of a tab-separated or XML feed as our product fields."""
    for row in rows:
        yield _one(row, from_merchant)


def _one(row: Fields, mapper: Any) -> Fields:
    if row.fields is None:
        return row
    try:
        return Fields(row.line, filled(mapper(row.fields)))
    except EndcapError as error:
        return Fields(row.line, None, error.problems)


def from_merchant(given: Row) -> dict[str, Any]:
    """One item of a Merchant Center feed."""
    row = {_name(name): value for name, value in given.items()}
    price, currency = amount(row, "price")
    sale, _ = amount(row, "sale_price")
    cost, _ = amount(row, "cost_of_goods_sold")
    # Whether a sale with dates holds today is the shop's to say, by sending the feed anew.
    on_sale = sale is not None and not text(row, "sale_price_effective_date")
    category = text(row, "google_product_category")
    paths = [text(row, "product_type"), category if category and ">" in category else None]
    return {
        "id": text(row, "id"),
        "title": clean(text(row, "title"), 500),
        "description": clean(text(row, "description"), 20_000),
        "url": text(row, "link"),
        "image": text(row, "image_link"),
        "brand": clean(text(row, "brand"), 200),
        "categories": [path for path in map(category_path, paths) if path],
        "price": sale if on_sale else price,
        "list_price": price if on_sale else None,
        "cost": cost,
        "currency": currency,
        "availability": availability(text(row, "availability"), "/availability"),
        "group": text(row, "item_group_id"),
        "attributes": filled({n: clean(text(row, n), 500) for n in _ATTRIBUTES}),
    }


def _name(name: str) -> str:
    return name.strip().lower().removeprefix("g:").replace(" ", "_")


def amount(row: Row, name: str) -> tuple[str | None, str | None]:
    """An amount such as `9.99 EUR` and its currency. A comma is taken for the decimal sign only
    where no other reading is possible."""
    written = text(row, name)
    if written is None:
        return None, None
    found = _AMOUNT.fullmatch(written.strip())
    if found is None:
        raise bad(f"/{name}", f"`{written[:50]}` is no amount like 9.99 EUR")
    currency = found[1] or found[3]
    digits = found[2].strip().replace("'", "").replace(" ", "")
    if "," in digits and "." in digits:
        digits = (
            digits.replace(",", "")
            if digits.rindex(",") < digits.rindex(".")
            else (digits.replace(".", "").replace(",", "."))
        )
    elif digits.count(",") == 1 and len(digits.rpartition(",")[2]) != 3:
        digits = digits.replace(",", ".")
    elif "," in digits:
        raise bad(f"/{name}", f"`{written[:50]}` may be thousands or decimals; use a point")
    return money(digits, currency, f"/{name}"), currency


def availability(written: str | None, pointer: str) -> str | None:
    """Our word for `in stock`, `in_stock` or `https://schema.org/InStock`."""
    if written is None:
        return None
    key = re.sub(r"[^a-z]", "", written.rpartition("/")[2].lower())
    if key not in _AVAILABILITY:
        raise bad(pointer, f"`{written[:50]}` is no availability we know")
    return _AVAILABILITY[key]


def clean(value: str | None, limit: int) -> str | None:
    """Text without tags, entities of space and what cannot be printed, cut to `limit`."""
    if value is None:
        return None
    plain = _TAG.sub(" ", value) if "<" in value else value
    words = " ".join(plain.split())
    printable = words if words.isprintable() else "".join(c for c in words if c.isprintable())
    return printable[:limit].strip() or None


def category_path(written: str | None) -> str | None:
    """A path such as `Home > Kitchen`, with at most eight levels."""
    if written is None:
        return None
    levels = [clean(level, 100) for level in written.split(">")]
    return " > ".join([level for level in levels if level][:8]) or None


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
            yield _one(Fields(row.line, {**shared, **values}), _variant)


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
        "stock": None if sells_on else count,
        "availability": None if live else "discontinued",
        "group": handle,
        "tags": [t.strip() for t in row.get("tags", "").split(",") if t.strip()],
        "attributes": filled({**names, "barcode": row.get("barcode", "").lstrip("'")}),
    }


def schema_rows(rows: Iterable[Fields]) -> Iterator[Fields]:
    """Products of JSON-LD documents: `Product`, `ProductGroup`, also inside `@graph`."""
    for row in rows:
        if row.fields is None:
            yield row
            continue
        for node in _nodes(row.fields):
            yield _one(Fields(row.line, dict(node)), from_schema)


def _nodes(node: Row) -> Iterator[Row]:
    """Every product of a document; a group gives its variants what they share."""
    for inner in _listed(node.get("@graph")) + _listed(node.get("itemListElement")):
        if isinstance(inner, Mapping):
            yield from _nodes(inner.get("item", inner))
    kinds = _listed(node.get("@type"))
    variants = [v for v in _listed(node.get("hasVariant")) if isinstance(v, Mapping)]
    if "ProductGroup" in kinds and variants:
        shared = {n: node[n] for n in ("brand", "category", "description", "image", "name", "url")
                  if n in node}  # fmt: skip
        for variant in variants:
            yield {**shared, "inProductGroupWithID": node.get("productGroupID"), **variant}
    elif "Product" in kinds:
        yield node


def from_schema(node: Row) -> dict[str, Any]:
    """One `Product`."""
    offers = next((o for o in _listed(node.get("offers")) if isinstance(o, Mapping)), {})
    currency = text(offers, "priceCurrency")
    if currency is not None and not is_currency(currency):
        raise bad("/offers/priceCurrency", "must be ISO 4217, like EUR")
    written = text(offers, "price", "lowPrice")
    rating = next((r for r in _listed(node.get("aggregateRating")) if isinstance(r, Mapping)), {})
    attributes = {n: clean(_named(node.get(n)), 500) for n in ("color", "size", "material", "gtin",
                  "gtin13", "mpn", "pattern")}  # fmt: skip
    return {
        "id": text(node, "sku", "productID", "@id"),
        "title": clean(text(node, "name"), 500),
        "description": clean(text(node, "description"), 20_000),
        "url": text(node, "url") or text(offers, "url"),
        "image": _named(node.get("image")),
        "brand": clean(_named(node.get("brand")), 200),
        "categories": [p for c in _listed(node.get("category")) if (p := category_path(_named(c)))],
        "price": money(written, currency, "/offers/price"),
        "currency": currency,
        "availability": availability(text(offers, "availability"), "/offers/availability"),
        "group": text(node, "inProductGroupWithID"),
        "rating": _rating(rating),
        "rating_count": None if (n := text(rating, "ratingCount", "reviewCount")) is None
        else whole(n, "/aggregateRating/ratingCount"),
        "attributes": filled(attributes),
    }  # fmt: skip


def _rating(rating: Row) -> float | None:
    written = text(rating, "ratingValue")
    if written is None:
        return None
    best = float(text(rating, "bestRating") or 5)
    value = float(money(written, None, "/aggregateRating/ratingValue") or 0)
    return round(5 * value / best, 3) if best > 0 else None


def _named(value: Any) -> str | None:
    """The text of a value that may be a text, an object with a name or url, or a list of those."""
    if isinstance(value, list):
        return _named(value[0]) if value else None
    if isinstance(value, Mapping):
        return text(value, "name", "url", "contentUrl")
    return str(value) if isinstance(value, str | int | float) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
