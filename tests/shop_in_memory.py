"""A small shop for tests of the pure request path: products, pairs and counts made by hand."""

from types import SimpleNamespace

import msgspec
import numpy as np

from endcap.build.customers import Lists, index_customers
from endcap.build.parameters import BuildParameters
from endcap.build.sessions import index_sessions
from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.product import ProductDocument
from endcap.recommend.query import State
from endcap.relations.customers import CustomerIndex
from endcap.relations.joined import Joined
from endcap.relations.session_index import SessionIndex
from endcap.relations.transitions import Transitions
from transitions_by_array import follow


def product(id, **fields):
    return {"id": id, **fields}


def columns_of(*products):
    columns = Columns()
    columns.apply(
        ProductDocument(p["id"], 1, n, 0, False, msgspec.json.encode(p))
        for n, p in enumerate(products, 1)
    )
    return columns


class Relation:
    """Rows as the snapshot reader gives them, from `{seed: [(partner, score, pairs), …]}`."""

    def __init__(self, name, ids, pairs, units=1_000):
        at = {product: n for n, product in enumerate(ids)}
        self.name = name
        self.units = units
        self.offsets = np.zeros(len(ids) + 1, np.int64)
        partner, score, count = [], [], []
        for n, product_id in enumerate(ids):
            for other, value, together in pairs.get(product_id, []):
                partner.append(at[other])
                score.append(value)
                count.append(together)
            self.offsets[n + 1] = len(partner)
        self.partner = np.array(partner, np.int32)
        self.score = np.array(score, np.float32)
        self.totals = np.full(len(ids), 50, np.int32)
        zeros = np.zeros(len(partner), np.float32)
        self.evidence = {
            "pairs": np.array(count, np.int32),
            "lift": zeros + 2,
            "llr": zeros + 9,
            "shared": np.array(count, np.int32),
            "closeness": zeros + 0.5,
        }

    def row(self, index):
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))


def popularity(ids, scores):
    values = np.array([scores.get(i, 0) for i in ids], np.float32)
    counts = values.astype(np.int32)
    return SimpleNamespace(
        score=values, buyers=counts, orders=counts, carters=counts, viewers=counts
    )


def visits_of(ids, sessions):
    """The index and the transitions of `[[product, …], …]`, oldest session first."""
    at = {product: n for n, product in enumerate(ids)}
    items = np.array([at[p] for visit in sessions for p in visit], np.int32)
    offsets = np.cumsum([0, *(len(visit) for visit in sessions)]).astype(np.int64)
    visitors = np.arange(1, len(sessions) + 1, dtype=np.uint32)
    index = index_sessions(offsets, items, visitors, len(ids), newest=1_000)
    kinds = follow(offsets, items, len(ids), BuildParameters().following)
    return {
        "sessions": SessionIndex(index),
        "transitions": {name: Transitions(arrays) for name, arrays in kinds.items()},
    }


def customers_of(ids, baskets):
    """Customers who each bought the products of one basket, oldest customer first."""
    at = {product: n for n, product in enumerate(ids)}
    items = np.array([at[p] for basket in baskets for p in basket], np.int32)
    offsets = np.cumsum([0, *map(len, baskets)]).astype(np.int64)
    visitors = np.arange(1, len(baskets) + 1, dtype=np.uint32)
    lists = Lists(offsets, items, np.ones(len(items), np.float32), visitors)
    arrays = index_customers(lists, len(ids), newest=1_000)
    return CustomerIndex(arrays | {"repeats": np.array([1, 4])})


def shop(products, relations=None, popular=None, tables=None, texts=None, sessions=None):
    """A State; `relations` is `{name: {seed: [(partner, score, pairs)]}}`.

    `tables` are the snapshot's, by product number in the order of the ids; `texts` its names.
    """
    columns = columns_of(*products)
    if all(part is None for part in (relations, popular, tables, sessions)):
        return State(columns, Joined(None, columns), Cards(columns))
    ids = sorted((p["id"] for p in products), key=str.encode)
    snapshot = SimpleNamespace(
        version="test",
        ids=lambda: ids,
        relations={n: Relation(n, ids, pairs) for n, pairs in (relations or {}).items()},
        tables=tables or {},
        texts=lambda name: (texts or {})[name],
        popularity={w: popularity(ids, popular or {}) for w in ("1d", "7d", "30d", "365d")},
        **visits_of(ids, sessions or []),
        customers=customers_of(ids, sessions or []),
    )
    return State(columns, Joined(snapshot, columns), Cards(columns))
