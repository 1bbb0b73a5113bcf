"""Also-bought evaluation: one product of a later order is given, the rest is to be ranked."""

import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from endcap.core.errors import InvalidInput
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State

from .measures import Collected
from .replica import Lines
from .sessions import Tick

LATER = 0.2


class Orders(msgspec.Struct, frozen=True):
    """Order lines in the order of time: order number, product name, customer number, moment."""

    order: npt.NDArray[np.int64]
    item: npt.NDArray[Any]
    customer: npt.NDArray[np.int64]
    moment: npt.NDArray[np.int64]


def read_orders(data: Path) -> Orders:
    """Invoice lines as in Online Retail: InvoiceNo, StockCode, Quantity, InvoiceDate, CustomerID.

    Cancellations and lines without quantity are left out; a product counts once per invoice, and
    an invoice without customer is its own customer's. Raises InvalidInput.
    """
    if not data.is_file():
        raise InvalidInput(f"there is no file {data}")
    reader = "read_parquet" if data.suffix == ".parquet" else "read_csv"
    path = str(data).replace("'", "''")
    query = (
        "WITH sold AS (SELECT InvoiceNo AS invoice, StockCode::VARCHAR AS item, "
        "min(epoch_ms(InvoiceDate)) AS moment, any_value(CustomerID)::VARCHAR AS customer "
        f"FROM {reader}('{path}') WHERE Quantity > 0 AND InvoiceNo NOT LIKE 'C%' GROUP BY 1, 2) "
        "SELECT dense_rank() OVER (ORDER BY begun, invoice) - 1 AS number, item, "
        "dense_rank() OVER (ORDER BY coalesce(customer, 'invoice ' || invoice)) AS who, "
        "begun AS moment FROM "
        "(SELECT *, min(moment) OVER (PARTITION BY invoice) AS begun FROM sold) "
        "ORDER BY number, item"
    )
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(query).fetchnumpy()
    except duckdb.Error as error:
        raise InvalidInput(f"{data} cannot be read as invoice lines: {error}") from error
    return Orders(rows["number"], rows["item"], rows["who"], rows["moment"])


def split(orders: Orders) -> int:
    """The number of the first order that is not counted but asked about."""
    return int((int(orders.order.max(initial=-1)) + 1) * (1.0 - LATER))


def lines_of_orders(orders: Orders) -> tuple[list[str], Lines]:
    """Products in the order of their ids, and the earlier orders as purchases."""
    names, code = np.unique(orders.item.astype(str), return_inverse=True)
    ids = sorted(names.tolist(), key=str.encode)
    place = {name: number for number, name in enumerate(ids)}
    code = np.array([place[name] for name in names.tolist()], np.int64)[code]
    past = orders.order < split(orders)
    none = np.full(int(past.sum()), -1, np.int64)
    return ids, Lines(
        "purchase", orders.order[past], code[past], none, orders.customer[past], orders.moment[past]
    )


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """The first `k` answers count; of each order `asked` products are the seed in turn, drawn by a
    seeded generator, and count together as one; `first` is the first order to ask about (None: the
    last fifth)."""

    k: int = 10
    asked: int = 10
    first: int | None = None


def run_orders(state: State, plan: Plan, orders: Orders, asking: Asking, tick: Tick) -> Collected:
    """Products of every later order of two or more are the seed, the others are to be found."""
    pipeline, collected, columns = Pipeline(), Collected(asking.k), state.columns
    draw = np.random.default_rng(7)
    begin = split(orders) if asking.first is None else asking.first
    first = int(np.searchsorted(orders.order, begin))
    begins = first + np.flatnonzero(np.diff(orders.order[first:], prepend=-1))
    ends = np.append(begins[1:], len(orders.order))
    now = int(orders.moment[max(0, first - 1)]) + 1 if len(orders.moment) else 0
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        rows = columns.rows(orders.item[begin:end].tolist())
        if len(rows) < 2:
            continue
        for seed in draw.permutation(len(rows))[: asking.asked].tolist():
            query = Query(now=now, count=asking.k, seeds=rows[seed : seed + 1])
            begun = time.perf_counter()
            picks = pipeline.run(plan, query, state).picks
            spent = time.perf_counter() - begun
            answer = np.array([pick.row for pick in picks], np.int32)
            collected.add(answer, np.delete(rows, seed), spent, begin)
        tick("answering", (begin - first) / max(1, len(orders.order) - first))
    return collected
