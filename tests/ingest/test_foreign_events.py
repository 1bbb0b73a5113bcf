"""Events in the shapes of GA4, Segment, Google Retail and Shopify, as their documentation has them.

The samples follow the public examples named in the docstrings of `endcap.ingest.foreign`.
"""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.ingest.foreign.events import FORMS, elements_of, form_of
from endcap.ingest.formats.events import read_events

SAMPLES = Path(__file__).parent / "samples"


def body(name):
    return json.loads((SAMPLES / name).read_text())


def mapped(name, form):
    elements = elements_of(body(name), FORMS[form], b"")
    assert [e.problems for e in elements if e.problems] == []
    return [element.event for element in elements]


def rows(name):
    with (SAMPLES / name).open("rb") as stream:
        return list(read_events(stream, "ndjson"))


def test_ga4_measurement_protocol():
    events = mapped("ga4_measurement.json", "ga4")
    assert [event.type for event in events] == [
        "view", "click", "impression", "cart_add", "cart_add", "search", "purchase", "refund",
    ]  # fmt: skip
    assert {event.visitor for event in events} == {"u-88"}
    assert {event.time for event in events} == {"2025-11-13T02:13:20.000Z"}
    view, click, impression, *adds, search, purchase, refund = events
    assert (view.session, view.products[0].id, view.products[0].quantity) == (
        "u-88.123", "SKU_12345", 3,
    )  # fmt: skip
    assert click.token == impression.token == "tok-1"
    assert [line.id for line in impression.products] == ["SKU_12345", "SKU_12346"]
    assert [str(add.products[0].price) for add in adds] == ["10.01", "3.33"]
    assert search.query == "Clothing"
    assert (purchase.order, purchase.currency, str(purchase.total)) == ("T_12345", "USD", "72.05")
    assert purchase.event_id == "ga4:purchase:T_12345"
    assert [(p.id, p.quantity, str(p.price)) for p in purchase.products] == [
        ("SKU_12345", 3, "10.01"), ("SKU_12346", 2, "21.01"),
    ]  # fmt: skip
    assert (refund.order, refund.products[0].quantity) == ("T_12345", 1)


def test_ga4_bigquery_rows():
    view, purchase, bad = rows("ga4_bigquery.ndjson")
    assert (view.line, view.value.type, view.value.context.device) == (1, "view", "phone")
    assert view.value.session == "1026454.4271112504.1763639990"
    assert view.value.time == "2025-11-20T12:00:00.000Z"
    assert (purchase.line, purchase.value.order) == (3, "62741")
    assert (str(purchase.value.total), purchase.value.products[0].quantity) == ("28.80", 3)
    assert (bad.line, bad.value, bad.problems[0].pointer) == (4, None, "/event_timestamp")


def test_segment_batch():
    view, click, add, purchase = mapped("segment_batch.json", "segment-batch")
    assert (view.event_id, view.visitor, view.product or view.products[0].id) == (
        "ajs-1", "anon-1", "507f1f77bcf86cd799439011",
    )  # fmt: skip
    assert (click.type, click.token) == ("click", "tok-9")
    assert add.products[0].price == Decimal("18.99")
    assert (purchase.visitor, purchase.order) == ("019mr8mf4r", "50314b8e9bcf000000000000")
    assert str(purchase.total) == "27.50"
    assert [(p.id, p.quantity) for p in purchase.products] == [
        ("507f1f77bcf86cd799439011", 1), ("505bd76785ebb509fc183733", 2),
    ]  # fmt: skip


def test_google_retail():
    view, search, add, purchase = (row.value for row in rows("retail.ndjson"))
    assert (view.type, view.session, view.products[0].id) == ("view", "s-1", "123")
    assert search.query == "shoes"
    assert add.products[0].quantity == 3
    assert (purchase.order, purchase.currency, str(purchase.total)) == ("t-9", "USD", "71.50")
    assert [(p.id, p.quantity, p.price) for p in purchase.products] == [
        ("123", 3, Decimal("20.50")), ("456", 1, None),
    ]  # fmt: skip


def test_shopify_order():
    (order,) = mapped("shopify_order.json", "shopify-orders")
    assert (order.visitor, order.order) == ("v-77", "820982911946154508")
    assert order.event_id == "shopify:order:820982911946154508"
    assert [(p.id, str(p.price)) for p in order.products] == [
        ("IPOD2008PINK", "199.00"), ("808950811", "189.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sample", "form"),
    [
        ("ga4_measurement.json", "ga4"),
        ("segment_batch.json", "segment-batch"),
        ("shopify_order.json", "shopify-orders"),
    ],
)
def test_forms_are_told_by_their_fields(sample, form):
    assert form_of(body(sample)) == form
    assert form_of({"type": "view", "visitor": "v", "product": "p"}) == "endcap"


@pytest.mark.parametrize(
    ("form", "sent", "pointer"),
    [
        ("ga4", {"client_id": "c", "events": "none"}, "/events"),
        ("ga4", {"client_id": "c", "events": [{"name": "view_item", "params": []}]}, "/params"),
        (
            "ga4",
            {
                "client_id": "c",
                "events": [
                    {
                        "name": "add_to_cart",
                        "params": {"items": [{"item_id": "a", "price": "9,90"}]},
                    }
                ],
            },
            "/items/0/price",
        ),
        ("ga4", {"events": [{"name": "view_item", "params": {"items": [{"item_id": "a"}]}}]},
         "/visitor"),
        ("retail", {"eventType": "search", "visitorId": [1], "searchQuery": "x"}, "/visitorId"),
        ("shopify-orders", {"id": 1, "line_items": [{"sku": "a", "price": "free"}]},
         "/line_items/0/price"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(form, sent, pointer):
    (element,) = elements_of(sent, FORMS[form], b"")
    assert element.event is None
    assert element.problems[0].pointer == pointer


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["events", "params", "items", "item_id", "price", "quantity", "name", "batch", "event",
             "properties", "products", "eventType", "visitorId", "productDetails", "product", "id",
             "line_items", "sku", "event_params", "key", "value", "event_name", "client_id"]
        )
        | st.text(max_size=4),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.sampled_from(sorted(FORMS)))
def test_no_body_breaks_a_mapper(sent, form):
    for element in elements_of(sent, FORMS[form], b""):
        assert (element.event is None) == bool(element.problems)


def test_a_file_may_mix_our_rows_with_theirs():
    content = (
        b'{"type":"view","visitor":"v","product":"p"}\n' + (SAMPLES / "retail.ndjson").read_bytes()
    )
    read = list(read_events(io.BytesIO(content), "ndjson"))
    assert [row.value.type for row in read] == ["view", "view", "search", "cart_add", "purchase"]
    with pytest.raises(KeyError):
        list(read_events(io.BytesIO(content), "ndjson", "nonsense"))
    assert InvalidInput is not None


def test_a_retail_event_with_one_product_outside_a_list():
    detail = {"product": {"id": "p"}, "quantity": 3}
    row = {"eventType": "detail-page-view", "visitorId": "v", "productDetails": detail}
    (read,) = read_events(io.BytesIO(json.dumps(row).encode()), "ndjson")
    assert [(line.id, line.quantity) for line in read.value.products] == [("p", 3)]
