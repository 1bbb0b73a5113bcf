"""Feeds as Merchant Center, Shopify and schema.org have them."""

import io
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
