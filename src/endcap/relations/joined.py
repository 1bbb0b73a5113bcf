"""A snapshot joined to the live catalogue: its product numbers translated to catalogue rows."""

from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, FloatArray, IntArray, LongArray
from endcap.catalog.columns import Columns

from .snapshot import Popularity, Relation, Snapshot


class Partners(NamedTuple):
    """Products related to some seeds: catalogue rows, scores, and where each pair stands.

    `place` is the row of the relation with the pair's evidence, `seed` the catalogue row of the
    seed that gave it (of several seeds the one with the highest score).
    """

    items: IntArray
    scores: FloatArray
    place: LongArray
    seed: IntArray


NO_PARTNERS = Partners(NO_ITEMS, np.empty(0), np.empty(0, np.int64), NO_ITEMS)


class Joined:
    """The relations of one snapshot by catalogue row; `None` stands for a shop never built."""

    def __init__(self, snapshot: Snapshot | None, columns: Columns) -> None:
        self.snapshot = snapshot
        self._columns = columns
        ids = snapshot.ids() if snapshot else []
        rows = [columns.row(product) for product in ids]
        self._to_row: IntArray = np.array([-1 if r is None else r for r in rows], np.int32)
        self._to_product: IntArray = np.full(len(columns), -1, np.int32)
        known = self._to_row >= 0
        self._to_product[self._to_row[known]] = np.flatnonzero(known)
        self._ranked: dict[tuple[str, str], IntArray] = {}

    @property
    def version(self) -> str:
        """The snapshot's version; empty when there is none."""
        return self.snapshot.version if self.snapshot else ""

    def relation(self, name: str) -> Relation | None:
        """The relation, or None when the snapshot has none of that name."""
        return self.snapshot.relations.get(name) if self.snapshot else None

    def popularity(self, window: str) -> Popularity | None:
        """Counts and scores of a window (`7d`), by the snapshot's own product numbers."""
        return self.snapshot.popularity.get(window) if self.snapshot else None

    def product(self, row: int) -> int:
        """The snapshot's number of a catalogue row; -1 when the snapshot does not know it."""
        return int(self._to_product[row]) if row < len(self._to_product) else -1

    def products(self, rows: IntArray) -> IntArray:
        """The snapshot's numbers of rows that a ranking or relation of it has given."""
        found: IntArray = self._to_product[rows]
        return found

    def partners(self, name: str, seeds: IntArray, weights: FloatArray | None = None) -> Partners:
        """What the relation holds for the seeds; scores of several seeds are added.

        `weights` (one per seed, default 1) scale each seed's scores.
        """
        relation = self.relation(name)
        if relation is None:
            return NO_PARTNERS
        parts: list[Partners] = []
        for place, seed in enumerate(seeds.tolist()):
            product = self.product(seed)
            if product < 0:
                continue
            row = relation.row(product)
            items = self._to_row[relation.partner[row]]
            scores = relation.score[row].astype(np.float64)
            if weights is not None:
                scores *= weights[place]
            places = np.arange(row.start, row.stop, dtype=np.int64)
            parts.append(Partners(items, scores, places, np.full(len(items), seed, np.int32)))
        return _merged(parts)

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


def _merged(parts: list[Partners]) -> Partners:
    parts = [part for part in parts if len(part.items)]
    if not parts:
        return NO_PARTNERS
    joined = parts[0] if len(parts) == 1 else _stacked(parts)
    known = joined.items >= 0
    if not known.all():
        joined = _taken(joined, known)
    if len(parts) == 1:
        return joined
    # Best pair first, so that np.unique's first index per product is the pair to cite.
    best = np.argsort(-joined.scores, kind="stable")
    items, first, inverse = np.unique(joined.items[best], return_index=True, return_inverse=True)
    sums = np.bincount(inverse, joined.scores[best], len(items)).astype(np.float64)
    return Partners(items, sums, joined.place[best][first], joined.seed[best][first])


def _stacked(parts: list[Partners]) -> Partners:
    return Partners(
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.seed for part in parts]),
    )


def _taken(partners: Partners, keep: BoolArray) -> Partners:
    return Partners(
        partners.items[keep], partners.scores[keep], partners.place[keep], partners.seed[keep]
    )
