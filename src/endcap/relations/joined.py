"""A snapshot joined to the live catalogue: its product numbers translated to catalogue rows."""

from collections import OrderedDict
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import NO_ITEMS, FloatArray, IntArray, LongArray
from endcap.catalog.columns import Columns

from .customers import CustomerIndex
from .fresh import Fresh
from .partners import NO_PARTNERS, Partners, added_up, stacked
from .session_index import SessionIndex
from .snapshot import Popularity, Relation, Snapshot
from .transitions import Transitions
from .trends import Trends

MAX_BRANDS = 2_000
MAX_PLACES = 10
# Products whose partners in a relation are kept ready; of a hundred partners each, some 20 MB.
MAX_PAIRS = 8_192


class Best(NamedTuple):
    """A product's place among the best sellers of a category, and how many of it sell."""

    category: int
    rank: int
    of: int


class Joined:
    """The relations of one snapshot by catalogue row; `None` stands for a shop never built."""

    def __init__(self, snapshot: Snapshot | None, columns: Columns) -> None:
        self.snapshot = snapshot
        self._columns = columns
        ids = snapshot.ids() if snapshot else []
        self._to_row: IntArray = columns.rows_or_none(ids)
        self._to_product: IntArray = np.full(len(columns), -1, np.int32)
        known = self._to_row >= 0
        self._to_product[self._to_row[known]] = np.flatnonzero(known)
        self._ranked: dict[tuple[str, str], IntArray] = {}
        self._brands: OrderedDict[tuple[str, int], IntArray] = OrderedDict()
        self._pairs: OrderedDict[tuple[str, int], Partners] = OrderedDict()
        self._audiences: dict[str, int] | None = None
        self._terms: dict[str, int] | None = None
        self.trends = Trends(self, columns)
        self.fresh = Fresh(self)

    @property
    def version(self) -> str:
        """The snapshot's version; empty when there is none."""
        return self.snapshot.version if self.snapshot else ""

    @property
    def ids(self) -> list[str]:
        """The catalogue's ids by row."""
        return self._columns.ids

    def relation(self, name: str) -> Relation | None:
        """The relation, or None when the snapshot has none of that name."""
        return self.snapshot.relations.get(name) if self.snapshot else None

    def popularity(self, window: str) -> Popularity | None:
        """Counts and scores of a window (`7d`), by the snapshot's own product numbers."""
        return self.snapshot.popularity.get(window) if self.snapshot else None

    @property
    def sessions(self) -> SessionIndex | None:
        """The sessions of the snapshot, by its own product numbers."""
        return self.snapshot.sessions if self.snapshot else None

    @property
    def customers(self) -> CustomerIndex | None:
        """What customers buy, by the snapshot's own product numbers."""
        return self.snapshot.customers if self.snapshot else None

    def transitions(self, name: str) -> Transitions | None:
        """The transitions `next` or `near`, by the snapshot's own product numbers."""
        return self.snapshot.transitions.get(name) if self.snapshot else None

    def numbers(self, rows: IntArray) -> IntArray:
        """The snapshot's numbers of any rows; -1 for those it does not know."""
        found: IntArray = self._to_product[np.minimum(rows, len(self._to_product) - 1)]
        return np.where(rows < len(self._to_product), found, -1).astype(np.int32)

    def rows(self, products: IntArray) -> IntArray:
        """Catalogue rows of snapshot numbers; -1 for those no longer in the catalogue."""
        found: IntArray = self._to_row[products]
        return found

    def product(self, row: int) -> int:
        """The snapshot's number of a catalogue row; -1 when the snapshot does not know it."""
        return int(self._to_product[row]) if row < len(self._to_product) else -1

    def products(self, rows: IntArray) -> IntArray:
        """The snapshot's numbers of rows that a ranking or relation of it has given."""
        found: IntArray = self._to_product[rows]
        return found

    def products_or_none(self, rows: IntArray) -> IntArray:
        """The snapshot's numbers of any rows; -1 for those it does not know."""
        known = rows < len(self._to_product)
        found = np.full(len(rows), -1, np.int32)
        found[known] = self._to_product[rows[known]]
        return found

    def partners(self, name: str, seeds: IntArray, weights: FloatArray | None = None) -> Partners:
        """What the relation holds for the seeds; scores of several seeds are added.

        `weights` (one per seed, default 1) scale each seed's scores.
        """
        parts = [self.pairs(name, seed) for seed in seeds.tolist()]
        held = [place for place, part in enumerate(parts) if len(part.items)]
        if not held:
            return NO_PARTNERS
        scores = [parts[place].scores for place in held]
        if weights is not None:
            scores = [own * weights[place] for own, place in zip(scores, held, strict=True)]
        if len(held) == 1:
            return parts[held[0]]._replace(scores=scores[0])
        return added_up(stacked([parts[place] for place in held], scores))

    def pairs(self, name: str, seed: int) -> Partners:
        """What the relation holds for one seed, best first; the arrays cannot be written to."""
        key = (name, seed)
        part = self._pairs.get(key)
        if part is not None:
            self._pairs.move_to_end(key)
            return part
        part = self._pairs[key] = self._read(name, seed)
        if len(self._pairs) > MAX_PAIRS:
            self._pairs.popitem(last=False)
        return part

    def _read(self, name: str, seed: int) -> Partners:
        relation, product = self.relation(name), self.product(seed)
        if relation is None or product < 0:
            return NO_PARTNERS
        row = relation.row(product)
        items = self._to_row[relation.partner[row]]
        part = Partners(
            items,
            relation.score[row].astype(np.float64),
            np.arange(row.start, row.stop, dtype=np.int64),
            np.full(len(items), seed, np.int32),
        )
        if len(items) and items.min() < 0:
            part = part.taken(items >= 0)
        for column in part:
            column.setflags(write=False)
        return part

    def evidence(self, name: str, column: str, place: LongArray) -> FloatArray:
        """A column of a relation's evidence at the places of some pairs."""
        relation = self.relation(name)
        if relation is None or not len(place):
            return np.zeros(len(place))
        values: FloatArray = relation.evidence[column][place].astype(np.float64)
        return values

    def table(self, name: str) -> dict[str, npt.NDArray[Any]] | None:
        """A table of the snapshot by its own product numbers; None when it has none."""
        return self.snapshot.tables.get(name) if self.snapshot else None

    def rows_of(self, products: npt.NDArray[Any]) -> IntArray:
        """Catalogue rows of the snapshot's product numbers; -1 for what is unknown by now."""
        rows: IntArray = self._to_row[products]
        return rows

    def ranked(self, window: str, category: str | None = None) -> IntArray:
        """Rows by falling popularity in the window, at `category` or below it when given.

        Made at first use and kept for the life of the snapshot: the membership is that of the
        moment; whether a product may be shown is checked live at each request.
        """
        if category is not None and self._columns.tree.subtree(category) is None:
            return NO_ITEMS
        key = (window, category or "")
        ranked = self._ranked.get(key)
        if ranked is None:
            ranked = self._rank(window) if category is None else self._within(window, category)
            self._ranked[key] = ranked
        return ranked

    @cached_property
    def best_of_category(self) -> dict[int, Best]:
        """The best sellers of each category that has its own products, by row.

        Counted over 30 days; a product of several categories has the place that is best.
        """
        rows = self.ranked("30d")
        codes = self._columns.categories[rows]
        held = np.flatnonzero(codes.ravel() > 0)
        # Sorted by category and, within it, in the order of the ranking.
        held = held[np.argsort(codes.ravel()[held], kind="stable")]
        category, row = codes.ravel()[held], rows[held // codes.shape[1]]
        begins = np.flatnonzero(np.diff(category, prepend=-1))
        sizes = np.diff(np.append(begins, len(category)))
        rank = np.arange(len(category)) - np.repeat(begins, sizes) + 1
        first = np.flatnonzero(rank <= MAX_PLACES)
        of = np.repeat(sizes, sizes)
        columns = (row[first], category[first], rank[first], of[first])
        found: dict[int, Best] = {}
        for one, code, place, size in zip(*(c.tolist() for c in columns), strict=True):
            if one not in found or place < found[one].rank:
                found[one] = Best(code, place, size)
        return found

    def of_brand(self, window: str, brand: int) -> IntArray:
        """Rows of a brand (a code of the columns) by falling popularity in the window."""
        key = (window, brand)
        ranked = self._brands.get(key)
        if ranked is None:
            everything = self.ranked(window)
            ranked = everything[self._columns.brand[everything] == brand]
            self._brands[key] = ranked
            if len(self._brands) > MAX_BRANDS:
                self._brands.popitem(last=False)
        return ranked

    def audience(self, name: str) -> int | None:
        """The number of an audience such as `zone:DE` or `segment:loyal`, if it was counted."""
        if self._audiences is None:
            known = self.snapshot is not None and "audience.30d" in self.snapshot.tables
            names = self.snapshot.texts("audiences") if self.snapshot and known else []
            self._audiences = {text: number for number, text in enumerate(names)}
        return self._audiences.get(name)

    def term(self, term: str) -> int | None:
        """The number of a normalised search term, if anybody searched it."""
        if self._terms is None:
            known = self.snapshot is not None and "searched" in self.snapshot.tables
            names = self.snapshot.texts("terms") if self.snapshot and known else []
            self._terms = {text: number for number, text in enumerate(names)}
        return self._terms.get(term)

    @cached_property
    def offers_made(self) -> dict[str, int]:
        """How often each offer was made, up to the snapshot."""
        table = self.table("offers")
        if table is None or self.snapshot is None:
            return {}
        return dict(zip(self.snapshot.texts("offers"), table["times"].tolist(), strict=True))

    def _rank(self, window: str) -> IntArray:
        counts = self.popularity(window)
        if counts is None:
            return NO_ITEMS
        # Products are numbered in the order of their ids, so a stable sort breaks ties by id.
        order = np.argsort(-counts.score, kind="stable")
        order = order[counts.score[order] > 0]
        rows = self._to_row[order]
        return rows[rows >= 0]

    def _within(self, window: str, category: str) -> IntArray:
        rows = self.ranked(window)
        return rows[self._columns.in_category(rows, category)]
