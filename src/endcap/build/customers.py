"""What customers buy, for next-basket answers: a weighted list per customer, and who buys what."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import IntArray, LongArray

from .behaviour import TableStep
from .engines.engine import Engine
from .parameters import BuildParameters
from .sessions import Arrays
from .snapshot_writer import SnapshotWriter
from .visits import visitor_codes


class Lists(NamedTuple):
    """What each customer bought: products and weights, where each customer's begin, whose."""

    offsets: LongArray
    items: IntArray
    weights: npt.NDArray[np.float32]
    visitors: npt.NDArray[np.uint32]


def customers(
    engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int
) -> None:
    """The table `customers`; see `relations.customers` for its arrays."""
    values = {"basket_decay": parameters.basket_decay, "max_baskets": parameters.max_baskets}
    rows = engine.run("customers", values)
    begins = np.flatnonzero(np.diff(rows["visitor"], prepend=-1))
    begins = begins[-parameters.max_customers :]
    first = int(begins[0]) if len(begins) else 0
    items = rows["product"][first:].astype(np.int32)
    weights = rows["weight"][first:].astype(np.float32)
    offsets = np.append(begins - first, len(items)).astype(np.int64)
    kept = rows["kept"][first:]
    codes = visitor_codes(engine)[rows["visitor"][begins]]
    lists = Lists(offsets, items, weights, codes)
    arrays = index_customers(lists, writer.products, parameters.customer_postings)
    repeats = np.array([(kept == 1).sum(), (kept >= 0).sum()], np.int64)
    writer.table("customers", arrays | {"repeats": repeats})


def index_customers(lists: Lists, products: int, newest: int) -> Arrays:
    """The lists by customer and by product, of each product the `newest` customers."""
    offsets, items, weights, visitors = lists
    customer = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    holders = np.bincount(items, minlength=products)
    order = np.lexsort((-customer, items))
    ranks = np.arange(len(order)) - (np.cumsum(holders) - holders)[items[order]]
    order = order[ranks < newest]
    starts = np.zeros(products + 1, np.int64)
    np.cumsum(np.bincount(items[order], minlength=products), out=starts[1:])
    return {
        "offsets": offsets,
        "items": items,
        "weights": weights,
        "visitors": visitors,
        "starts": starts,
        "postings": customer[order],
        "posting_weights": weights[order],
        "holders": holders.astype(np.int32),
    }


CUSTOMERS = TableStep("customers", customers)
