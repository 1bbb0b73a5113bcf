"""Telling the forms of product feeds, and reading those of Google Merchant Center.

https://support.google.com/merchants/answer/7052112 (product data specification)
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from endcap.core.errors import EndcapError
from endcap.ingest.formats.rows import Fields

from .fields import bad, filled, money, text

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
        yield mapped_row(row, from_merchant)


def mapped_row(row: Fields, mapper: Any) -> Fields:
    """A row with its fields mapped to ours, or with what is wrong with one of them."""
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
