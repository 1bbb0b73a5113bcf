"""Laws of reading events and products: nothing escapes, every element gets one verdict."""

import io
import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.errors import EndcapError
from endcap.core.event import EventIn
from endcap.core.money import from_minor, to_minor
from endcap.ingest.decode import decode_batch
from endcap.ingest.formats.rows import Bounded, number_of, read_rows
from endcap.ingest.products import canonical, decode_product
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.ingest.validate import Sender, Valid, Validator

NAMES = st.sampled_from(sorted(EventIn.__struct_fields__)) | st.text(max_size=5)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
EVENT = st.fixed_dictionaries(
    {"type": st.sampled_from(["view", "purchase", "search", "rate", "x"]), "visitor": JSON},
    optional={
        "product": st.text(max_size=4),
        "products": st.lists(st.fixed_dictionaries({"id": st.text(max_size=3), "price": JSON})),
        "time": st.text(max_size=12) | st.datetimes().map(str),
        "rating": st.floats(allow_nan=False, allow_infinity=False),
        "query": st.text(max_size=4),
        "quantity": st.integers(),
        "currency": st.sampled_from(["EUR", "JPY", "eur", ""]),
    },
)
PSEUDONYMS = Pseudonyms(bytes(range(32)))
SENDER = Sender("default", "api", 1_790_000_000_000, "EUR")
fast = settings(max_examples=300, deadline=None)


@fast
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused_with_an_error_that_says_so(body):
    try:
        batch = decode_batch(body)
    except EndcapError as error:
        assert 400 <= error.status < 500
        assert error.detail
    else:
        assert batch.elements


@fast
@given(st.lists(EVENT | JSON, min_size=1, max_size=6))
def test_every_element_is_valid_or_has_its_problems(events):
    batch = decode_batch(json.dumps({"events": events}).encode())
    assert len(batch.elements) == len(events)
    validator = Validator(PSEUDONYMS, lambda: "new")
    for element in batch.elements:
        if element.event is None:
            assert element.problems
            continue
        found = validator.check(element.event, SENDER)
        if isinstance(found, Valid):
            assert found.event.event_id
            assert len(found.event.visitor) == 22
            assert all(line.price is None or line.price >= 0 for line in found.event.lines)
            msgspec.msgpack.encode(found.event)
        else:
            assert found


@fast
@given(st.dictionaries(st.sampled_from(["title", "price", "stock", "tags", "zones", "x"]), JSON))
def test_a_product_is_refused_or_comes_back_the_same(fields):
    try:
        product = decode_product(json.dumps(fields).encode(), "p", "EUR")
    except EndcapError as error:
        assert 400 <= error.status < 500
    else:
        once = canonical(product)
        assert canonical(decode_product(once, "p", "USD")) == once


@fast
@given(st.integers(0, 10**14), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_money_goes_in_and_out_without_loss(minor, currency):
    assert to_minor(from_minor(minor, currency), currency) == minor


@fast
@given(st.decimals() | st.from_regex(r"-?\d{1,3}E[+-]?\d{1,12}", fullmatch=True).map(Decimal))
def test_any_decimal_is_money_or_a_value_error(amount):
    try:
        assert isinstance(to_minor(amount, "EUR"), int)
    except ValueError as error:
        assert str(error)


@fast
@given(st.binary(max_size=80), st.sampled_from(["csv", "tsv", "ndjson", "json"]))
def test_any_file_is_rows_or_a_clear_refusal(content, kind):
    try:
        for row in read_rows(io.BytesIO(content), kind):
            assert row.line >= 1
            assert (row.fields is None) == bool(row.problems)
    except EndcapError as error:
        assert 400 <= error.status < 500


@pytest.mark.parametrize(
    ("text", "whole", "value"),
    [
        ("12", True, 12),
        ("-3", True, -3),
        ("4.5", False, 4.5),
        ("1_000", True, None),
        ("nan", False, None),
        ("1e5", False, None),
        ("\u0661", True, None),
        ("", True, None),
    ],
)
def test_numbers_in_files_are_plain_ones(text, whole, value):
    assert number_of(text, whole) == value


def test_a_bounded_stream_gives_its_limit_and_no_more():
    assert io.BufferedReader(Bounded(io.BytesIO(b"x" * 10), 10)).read() == b"x" * 10
    with pytest.raises(EndcapError, match="more than 9 bytes"):
        io.BufferedReader(Bounded(io.BytesIO(b"x" * 10), 9)).read()


def test_pseudonyms_are_steady_and_apart():
    other = Pseudonyms(bytes(range(1, 33)))
    names = ["a", "A", "a ", "\u00e9", "e\u0301"]
    made = [PSEUDONYMS.visitor("default", name) for name in names]
    assert len(set(made)) == 5
    assert made == [PSEUDONYMS.visitor("default", name) for name in names]
    assert PSEUDONYMS.visitor("other", "a") != made[0]
    assert PSEUDONYMS.session("default", "a") != made[0]
    assert other.visitor("default", "a") != made[0]
