from decimal import Decimal

import msgspec
import pytest

from endcap.core.product_history import MAX_POINTS, continued, read_history
from endcap.core.times import DAY


def history_of(*versions):
    """The history after `(day, fields)` versions."""
    stored, before = b"", None
    for day, fields in versions:
        body = msgspec.json.encode(fields)
        stored = continued(stored, before, body, day * DAY)
        before = body
    return read_history(stored)


def price(amount, currency="EUR", **fields):
    return {"price": amount, "currency": currency, **fields}


def test_a_product_keeps_the_day_it_came():
    history = history_of((1, price("5")), (2, price("5")), (9, price("4")))
    assert history.created_at == DAY


def test_a_write_that_leaves_the_price_is_no_change_of_it():
    assert history_of((1, price("5")), (2, price("5", stock=4))).reference is None


def test_a_reduction_is_measured_against_the_lowest_price_of_the_days_before():
    # Raised for a day before the sale: the reference is the price before that.
    history = history_of((1, price("10")), (49, price("20")), (50, price("10")))
    assert history.reference == Decimal(10)
    assert history_of((1, price("10")), (50, price("8"))).reference == Decimal(10)


def test_prices_that_ended_long_ago_do_not_count():
    history = history_of((1, price("5")), (10, price("12")), (60, price("9")))
    assert history.reference == Decimal(12)
    assert len(history.prices) == 2


def test_another_currency_or_no_price_gives_no_reference():
    assert history_of((1, price("5")), (2, price("4", "GBP"))).reference is None
    assert history_of((1, {}), (2, price("4"))).reference is None


@pytest.mark.parametrize(
    ("before", "after", "back"),
    [
        ({"stock": 0}, {"stock": 3}, True),
        ({"availability": "out_of_stock"}, {"availability": "in_stock"}, True),
        ({"stock": 0}, {"stock": 0}, False),
        ({"stock": 2}, {"stock": 3}, False),
        ({"stock": 3}, {"stock": 0}, False),
        ({"stock": 0, "availability": "preorder"}, {"stock": 3}, False),
    ],
)
def test_back_in_stock_is_the_step_from_unsold_to_sold(before, after, back):
    history = history_of((1, before), (7, after))
    assert history.restocked_at == (7 * DAY if back else 0)


def test_it_stays_small_however_often_the_price_changes():
    history = history_of(
        *((1 + n, price(str(n))) for n in range(9)), *((9, price(str(n))) for n in range(99))
    )
    assert len(history.prices) == MAX_POINTS
