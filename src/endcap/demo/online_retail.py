"""The gift shop: products and events made of its invoice lines, with a count of every treatment."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from typing import Any
from urllib.parse import quote

import duckdb
import msgspec

from endcap.core.event import Context, EventIn, LineIn
from endcap.core.product import Product
from endcap.core.times import DAY, format_time, to_millis

from .derive import Deriver, read_rules

WEEK = 7 * DAY
CURRENCY = "GBP"


class Treatment(msgspec.Struct, frozen=True):
    """How many lines were treated how; the parts add up to `lines`."""

    lines: int
    sold: int
    refunded: int
    noise: dict[str, int]
    weeks_moved: int

    def text(self) -> str:
        """The counts in words."""
        noise = "; ".join(f"{count:,} {reason}" for reason, count in self.noise.items())
        return (
            f"  {self.lines:,} invoice lines: {self.sold:,} sold, {self.refunded:,} refunded "
            f"(cancelled invoices); left out: {noise}.\n"
            f"  Times are moved {self.weeks_moved} weeks forward, so that last week is last week."
        )


class GiftShop:
    """Reads the data once; `now` (UTC milliseconds) decides how far times are moved.

    Every time moves by the same whole number of weeks, so that the last invoice falls into the
    week before `now`: weekdays and hours stay as they were.
    """

    def __init__(self, now: int) -> None:
        self._deriver = Deriver(read_rules())
        self._connection = duckdb.connect(config={"threads": 2})
        self._prepare()
        last = self._one("SELECT max(InvoiceDate) FROM raw")[0]
        self._weeks = max(0, (now - _millis(last)) // WEEK)
        self.treatment = self._treated()

    def __enter__(self) -> "GiftShop":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def products(self) -> Iterator[Product]:
        """Every stock code that was sold, with what can be derived of it."""
        rows = self._connection.execute(_PRODUCTS).fetchall()
        for code, description, price, usual, stock in rows:
            yield Product(
                id=code,
                title=self._deriver.title(description),
                url=f"/demo-shop/products/{quote(code, safe='')}",
                categories=[self._deriver.category(description)],
                price=_money(price),
                list_price=_money(usual) if usual >= price * 1.1 else None,
                currency=CURRENCY,
                stock=stock,
                attributes=dict(self._deriver.attributes(description)),
            )

    def events(self) -> Iterator[EventIn]:
        """One purchase per invoice, one refund per cancelled invoice, in order of time."""
        cursor = self._connection.execute(_EVENTS)
        while rows := cursor.fetchmany(1_000):
            for row in rows:
                yield self._event(*row)

    def count_events(self) -> int:
        """How many events there are."""
        return int(self._one("SELECT count(DISTINCT (InvoiceNo, refund)) FROM kept")[0])

    def _event(
        self,
        invoice: str,
        refund: bool,
        moment: datetime,
        customer: int | None,
        country: str,
        lines: list[dict[str, Any]],
    ) -> EventIn:
        # Lines without a customer are anonymous: each such invoice is a visitor of its own.
        visitor = f"guest-{invoice}" if customer is None else f"customer-{customer}"
        return EventIn(
            type="refund" if refund else "purchase",
            event_id=f"invoice-{invoice}",
            visitor=visitor,
            order=invoice,
            currency=CURRENCY,
            time=format_time(_millis(moment) + self._weeks * WEEK),
            products=[
                LineIn(id=line["code"], quantity=line["quantity"], price=_money(line["price"]))
                for line in lines
            ],
            context=Context(zone=self._deriver.rules.zones.get(country)),
        )

    def _prepare(self) -> None:
        noise = self._deriver.rules.noise
        run = self._connection.execute
        data = resources.files(__package__) / "data/online_retail.parquet"
        with resources.as_file(data) as file:
            run("CREATE TABLE raw AS SELECT * FROM read_parquet(?)", [str(file)])
        run("CREATE TABLE noise_codes AS SELECT unnest(?::VARCHAR[]) AS code", [noise.codes])
        run(
            "CREATE TABLE noise_invoices AS SELECT unnest(?::VARCHAR[]) AS letter", [noise.invoices]
        )
        run("CREATE TABLE notes AS SELECT lower(unnest(?::VARCHAR[])) AS note", [noise.notes])
        run(_TREATED)
        run(_KEPT)

    def _treated(self) -> Treatment:
        counts = dict(
            self._connection.execute(
                "SELECT treatment, count(*) FROM treated GROUP BY 1"
            ).fetchall()
        )
        sold, refunded = counts.pop("sold", 0), counts.pop("refunded", 0)
        noise = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
        total = sold + refunded + sum(noise.values())
        return Treatment(total, sold, refunded, noise, self._weeks)

    def _one(self, sql: str) -> Any:
        return self._connection.execute(sql).fetchone()


def _millis(moment: datetime) -> int:
    return to_millis(moment.replace(tzinfo=UTC))


def _money(price: float) -> Decimal:
    return Decimal(str(price)).quantize(Decimal("0.01"))


# Every line gets exactly one treatment; the first reason that applies names it.
_TREATED = """
CREATE TABLE treated AS
SELECT *, CASE
  WHEN left(InvoiceNo, 1) IN (SELECT letter FROM noise_invoices) THEN 'bad debt adjustments'
  WHEN StockCode IN (SELECT code FROM noise_codes) THEN 'postage, fees, vouchers and corrections'
  WHEN Description IS NULL THEN 'without description'
  WHEN Description <> upper(Description)
       AND EXISTS (SELECT 1 FROM notes WHERE starts_with(lower(trim(Description)), note))
       THEN 'warehouse notes'
  WHEN starts_with(trim(Description), '?') THEN 'warehouse notes'
  WHEN UnitPrice < 0.005 THEN 'given away or written off (no price)'
  WHEN left(InvoiceNo, 1) = 'C' AND Quantity < 0 THEN 'refunded'
  WHEN Quantity <= 0 THEN 'negative quantity without cancellation'
  ELSE 'sold' END AS treatment
FROM raw
"""
_KEPT = """
CREATE TABLE kept AS
SELECT *, treatment = 'refunded' AS refund FROM treated WHERE treatment IN ('sold', 'refunded')
"""
# Price: of the latest sale. List price: the year's median price where that is a tenth higher.
# Stock is derived, not known: the units sold in the last four weeks, as of a shop that keeps about
# a month's sales; so what has not sold for four weeks is out of stock.
_PRODUCTS = """
WITH named AS (
  SELECT StockCode, Description, row_number() OVER (
    PARTITION BY StockCode ORDER BY count(*) DESC, Description) AS place
  FROM kept WHERE NOT refund GROUP BY StockCode, Description
),
priced AS (
  SELECT StockCode, arg_max(UnitPrice, (InvoiceDate, InvoiceNo)) AS price,
         quantile_disc(UnitPrice, 0.5) AS usual
  FROM kept WHERE NOT refund GROUP BY StockCode
),
moved AS (
  SELECT StockCode, CAST(sum(Quantity) AS INTEGER) AS stock FROM kept
  WHERE InvoiceDate > (SELECT max(InvoiceDate) FROM raw) - INTERVAL 28 DAY
  GROUP BY StockCode
)
SELECT n.StockCode, n.Description, p.price, p.usual, greatest(coalesce(m.stock, 0), 0)
FROM named AS n JOIN priced AS p USING (StockCode) LEFT JOIN moved AS m USING (StockCode)
WHERE n.place = 1
ORDER BY n.StockCode
"""
_EVENTS = """
SELECT InvoiceNo, refund, min(InvoiceDate), min(CustomerID), min(Country),
       list({'code': StockCode, 'quantity': abs(Quantity), 'price': UnitPrice}
            ORDER BY StockCode, Quantity, UnitPrice)
FROM kept GROUP BY InvoiceNo, refund ORDER BY min(InvoiceDate), InvoiceNo
"""
