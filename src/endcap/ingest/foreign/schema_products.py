"""Products as schema.org's JSON-LD: https://schema.org/Product and https://schema.org/ProductGroup."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from endcap.core.money import is_currency
from endcap.ingest.formats.rows import Fields

from .fields import bad, filled, money, text, whole
from .products import availability, category_path, clean, mapped_row

Row = Mapping[str, Any]


_IDS = ("sku", "productID", "@id")
# What names a product when the shop gives no id of its own.
_TRADE = ("gtin", "gtin13", "gtin14", "gtin12", "gtin8", "mpn")


def schema_rows(rows: Iterable[Fields]) -> Iterator[Fields]:
    """Products of JSON-LD documents: `Product`, `ProductGroup`, also inside `@graph`."""
    for row in rows:
        if row.fields is None:
            yield row
            continue
        for node in _nodes(row.fields):
            yield mapped_row(Fields(row.line, dict(node)), from_schema)


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
        yield from _sold(node)


def _sold(node: Row) -> Iterator[Row]:
    """A product; one without an id whose offers have their own is as many products."""
    offers = [o for o in _listed(node.get("offers")) if isinstance(o, Mapping)]
    own = [o for o in offers if text(o, "sku")]
    if text(node, *_IDS) is not None or not own:
        yield node
        return
    group = None if len(own) == 1 else text(node, "url") or text(node, "name")
    for offer in own:
        yield {**node, "offers": offer, "sku": offer["sku"], "inProductGroupWithID": group}


def from_schema(node: Row) -> dict[str, Any]:
    """One `Product`."""
    offers = next((o for o in _listed(node.get("offers")) if isinstance(o, Mapping)), {})
    inner = [o for o in _listed(offers.get("offers")) if isinstance(o, Mapping)]
    specified = [s for s in _listed(offers.get("priceSpecification")) if isinstance(s, Mapping)]
    # An AggregateOffer says less than the offers in it, an offer may leave its price to a part.
    offers = {**(specified[0] if specified else {}), **(inner[0] if inner else {}), **offers}
    currency = text(offers, "priceCurrency")
    if currency is not None and not is_currency(currency):
        raise bad("/offers/priceCurrency", "must be ISO 4217, like EUR")
    written = text(offers, "price", "lowPrice")
    rating = next((r for r in _listed(node.get("aggregateRating")) if isinstance(r, Mapping)), {})
    attributes = {n: clean(_named(node.get(n)), 500) for n in ("color", "size", "material", "gtin",
                  "gtin13", "mpn", "pattern")}  # fmt: skip
    return {
        "id": text(node, *_IDS, *_TRADE),
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
