"""Feeds as Merchant Center, Shopify and schema.org have them."""

import io
import json
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest

from endcap.core.errors import EndcapError, MalformedBody
from endcap.ingest.foreign.products import amount, availability
from endcap.ingest.formats.products import read_products

SAMPLES = Path(__file__).parent / "samples"


def read(name, kind):
    with (SAMPLES / name).open("rb") as stream:
        return list(read_products(stream, kind))


def products(rows):
    return {row.value.id: row.value for row in rows if row.value is not None}


def test_merchant_rss():
    rows = read("merchant.xml", "xml")
    found = products(rows)
    tv, washer = found["TV_123456"], found["W-2"]
    assert (tv.title, tv.price, tv.currency) == (
        "Google Chromecast with Google TV", Decimal("59.99"), "USD",
    )  # fmt: skip
    assert (tv.availability, tv.cost, tv.brand) == ("in_stock", Decimal("23.00"), "Google")
    assert tv.categories == ["Electronics > Video > Streaming"]
    assert tv.attributes == {
        "condition": "new", "gtin": "123456789123", "custom_label_0": "clearance",
    }  # fmt: skip
    assert (washer.price, washer.list_price, washer.group) == (
        Decimal("999.50"), Decimal("1299.00"), "W",
    )  # fmt: skip
    assert (washer.url, washer.availability) == ("https://www.example.com/w/2", "out_of_stock")
    (bad,) = [row for row in rows if row.value is None]
    assert (bad.line, bad.problems[0].pointer) == (36, "/availability")


def test_merchant_atom_and_tsv():
    (lamp,) = products(read("merchant_atom.xml", "xml")).values()
    assert (lamp.id, lamp.url, lamp.price) == ("A-1", "https://www.example.com/a1", Decimal("19"))
    found = products(read("merchant.tsv", "tsv"))
    assert found["T-1"].categories == ["Home > Kitchen"]
    assert (found["T-2"].price, found["T-2"].list_price) == (Decimal("8.50"), Decimal("12.00"))


def test_shopify_old_headers():
    found = products(read("shopify_old.csv", "csv"))
    assert sorted(found) == ["TEE-M-RED", "TEE-S-RED", "gift-card"]
    small, medium, card = found["TEE-S-RED"], found["TEE-M-RED"], found["gift-card"]
    assert (small.title, small.brand, small.group) == ("Classic Tee", "Acme", "classic-tee")
    assert (small.price, small.list_price, small.cost) == (
        Decimal("19.99"), Decimal("24.99"), Decimal("7.50"),
    )  # fmt: skip
    assert small.attributes == {"size": "S", "color": "Red", "barcode": "0123456789012"}
    assert small.tags == ["Basics", "Sale"]
    assert small.categories == ["Apparel & Accessories > Clothing", "Shirts"]
    assert (small.stock, small.image) == (5, "https://cdn.example/tee.png")
    assert (medium.title, medium.stock, medium.image) == (
        "Classic Tee", None, "https://cdn.example/tee-m.png",
    )  # fmt: skip
    assert medium.attributes == {"size": "M", "color": "Red"}
    assert card.availability == "discontinued"


def test_shopify_new_headers():
    rows = read("shopify_new.csv", "csv")
    (small,) = products(rows).values()
    assert (small.id, small.group, small.stock) == ("TEE-S", "classic-tee", 5)
    (bad,) = [row for row in rows if row.value is None]
    assert (bad.line, bad.problems[0].code) == (3, "wrong_type")


def test_schema_org():
    found = products(read("schema.jsonld", "json"))
    anvil = found["0446310786"]
    assert (anvil.title, anvil.brand, anvil.price) == ("Executive Anvil", "ACME", Decimal("119.99"))
    assert (anvil.rating, anvil.rating_count, anvil.categories) == (4.4, 89, ["Tools > Anvils"])
    small, large = found["44E01-M11000"], found["44E01-K11000"]
    assert (small.title, small.group, small.availability) == (
        "Wool winter coat", "44E01", "out_of_stock",
    )  # fmt: skip
    assert (large.availability, large.attributes) == (
        "backorder", {"color": "Light blue", "size": "large"},
    )  # fmt: skip
    assert len(found) == 3


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("9.99 EUR", ("9.99", "EUR")),
        ("EUR 9.99", ("9.99", "EUR")),
        ("1,299.00 USD", ("1299.00", "USD")),
        ("1.299,00 EUR", ("1299.00", "EUR")),
        ("12,5", ("12.50", None)),
        ("1200 JPY", ("1200", "JPY")),
    ],
)
def test_amounts(written, expected):
    assert amount({"price": written}, "price") == expected


@pytest.mark.parametrize("written", ["1,299 EUR", "free", "9.99 euros", "--"])
def test_amounts_that_could_mean_two_things_are_refused(written):
    with pytest.raises(EndcapError):
        amount({"price": written}, "price")


def test_availability_words():
    for word in ("in stock", "in_stock", "InStock", "http://schema.org/InStock"):
        assert availability(word, "/a") == "in_stock"


def feed(items):
    yield b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
    for n in range(items):
        yield f"<item><g:id>{n}</g:id><g:title>T{'x' * 200}</g:title>".encode()
        yield b"<g:link>https://s.example/1</g:link><g:price>1.00 EUR</g:price></item>"
    yield b"</channel></rss>"


class Slow(io.RawIOBase):
    """A stream made as it is read."""

    def __init__(self, parts):
        self.parts, self.rest = parts, b""

    def readable(self):
        return True

    def seek(self, *_):
        return 0

    def read(self, size=-1):
        while len(self.rest) < size and (part := next(self.parts, None)) is not None:
            self.rest += part
        found, self.rest = self.rest[:size], self.rest[size:]
        return found


def test_memory_does_not_grow_with_the_feed():
    from endcap.ingest.foreign.products import merchant_rows
    from endcap.ingest.foreign.xml_feed import xml_rows

    tracemalloc.start()
    try:
        read = sum(1 for _ in merchant_rows(xml_rows(Slow(feed(20_000)))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == 20_000
    assert peak < 3_000_000  # the feed has six million bytes


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><rss><item><id>1</id></item></rss>',
        b"<rss><item><id>1</id></rss>",
        b"not xml",
        b"<rss><item><id>" + b"x" * 600_000 + b"</id></item></rss>",
    ],
)
def test_xml_that_cannot_be_read_is_refused(content):
    with pytest.raises(MalformedBody):
        list(read_products(io.BytesIO(content), "xml"))


def read_json(*documents):
    lines = json.dumps(list(documents) if len(documents) > 1 else documents[0]).encode()
    return list(read_products(io.BytesIO(lines), "json"))


def thing(**fields):
    return {"@context": "https://schema.org", "@type": "Product", "name": "Lamp", **fields}


def test_schema_org_as_shops_write_it():
    """Shapes met in public pages: trade numbers for ids, prices and stock in the inner offers."""
    inner = {"@type": "Offer", "price": "12.00", "priceCurrency": "EUR", "availability": "SoldOut"}
    (row,) = read_json(
        thing(mpn="925872", offers={"@type": "AggregateOffer", "lowPrice": "9", "offers": [inner]})
    )
    assert (row.value.id, row.value.price, row.value.currency) == (
        "925872",
        Decimal("12.00"),
        "EUR",
    )
    assert row.value.availability == "out_of_stock"
    part = {"@type": "UnitPriceSpecification", "price": 10.5, "priceCurrency": "EUR"}
    (row,) = read_json(thing(sku="s", offers={"@type": "Offer", "priceSpecification": part}))
    assert (row.value.price, row.value.currency) == (Decimal("10.50"), "EUR")
    (row,) = read_json(thing(offers={"@type": "Offer", "price": "1"}))
    assert (row.value, row.problems[0].pointer) == (None, "/id")


def test_schema_org_offers_with_ids_of_their_own_are_variants():
    offers = [{"sku": s, "price": p, "priceCurrency": "EUR"} for s, p in (("a", 12), ("b", 13))]
    rows = read_json(thing(url="https://s.example/lamp", offers=offers))
    assert [(r.value.id, r.value.price, r.value.group) for r in rows] == [
        ("a", Decimal("12.00"), "https://s.example/lamp"),
        ("b", Decimal("13.00"), "https://s.example/lamp"),
    ]


def test_shopify_variants_that_nobody_counts_have_no_stock():
    heads = "Handle,Title,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy"
    heads += ",Variant Fulfillment Service,Variant Price,Option1 Name,Option1 Value"
    lines = [
        heads,
        "top,Top,,1,deny,manual,60,Size,Small",
        "top,,shopify,4,deny,manual,60,,Medium",
    ]
    rows = read_products(io.BytesIO("\n".join(lines).encode()), "csv")
    assert [(row.value.id, row.value.stock) for row in rows] == [
        ("top/Small", None),
        ("top/Medium", 4),
    ]


def test_a_merchant_items_own_price_is_not_that_of_its_shipping():
    shipping = "<g:shipping><g:country>IT</g:country><g:price>5.90 EUR</g:price></g:shipping>"
    text = (
        '<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title>'
        "<item><g:id>1</g:id><title><![CDATA[ Blå & grön ]]></title><g:price>211.75 EUR</g:price>"
        f"{shipping}{shipping}<g:availability>in Stock</g:availability></item></channel></rss>"
    )
    (row,) = read_products(io.BytesIO(text.encode()), "xml")
    assert (row.value.title, row.value.price) == ("Blå & grön", Decimal("211.75"))
    assert row.value.availability == "in_stock"
