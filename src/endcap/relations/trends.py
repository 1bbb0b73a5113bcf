"""What is wanted more than usual: recent visitors against each product's own baseline.

The baseline and the recent stretch come from the snapshot; what the live counters have had since
is added to the recent side, so that a rush shows within a second.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, FloatArray, IntArray, distinct
from endcap.catalog.categories import ancestors
from endcap.catalog.columns import Columns
from endcap.catalog.ranking import best_first, levelled
from endcap.core.times import DAY

from .counters import Counters

if TYPE_CHECKING:
    from .joined import Joined

# So many visitors are added to both sides, so that three after one is no trend.
SHRINK = 3.0
MINIMUM = 5.0
GROWTH = 1.5
CONSIDERED = 10_000
FRESH = 250
# While no event comes growth only fades, a few per mille in this time.
STILL = 5_000
FACETS_FRESH = 1_000


class Measured(NamedTuple):
    """Per row: recent visitors, visitors usual in a stretch that long, and the growth."""

    recent: FloatArray
    usual: FloatArray
    growth: FloatArray


class FacetTrend(NamedTuple):
    """A brand or category that is wanted more than usual."""

    name: str
    recent: float
    usual: float
    growth: float


class Trends:
    """Trends over one joined snapshot.

    `stretch` is the recent stretch in ms, `stretches` how many of them make the baseline (0: the
    log is too young to have one).
    """

    def __init__(self, joined: "Joined", columns: Columns) -> None:
        self._joined = joined
        self._columns = columns
        table = joined.table("trend")
        shape = table["shape"].tolist() if table else [DAY, 0, 0]
        self.stretch, self.stretches, self._as_of = (int(value) for value in shape)
        self._table = table
        # The live counters fade in the time of a stretch.
        self._window = "1d" if self.stretch <= DAY else "7d"
        self._best: IntArray | None = None
        self._ranked: tuple[int, int, IntArray] = (-STILL, 0, NO_ITEMS)
        self._rising_of: IntArray = NO_ITEMS
        self._rising_rows: frozenset[int] = frozenset()
        self._facets: dict[str, tuple[int, list[FacetTrend]]] = {}

    def measured(self, rows: IntArray, counters: Counters, now: int) -> Measured:
        """How much each row is wanted."""
        recent, usual = np.zeros(len(rows)), np.zeros(len(rows))
        if self._table is not None and self.stretches:
            products = self._joined.products_or_none(rows)
            known = products >= 0
            numbers = products[known]
            age = np.exp(-max(0, now - self._as_of) / self.stretch)
            recent[known] = self._table["recent"][numbers] * age
            usual[known] = self._table["baseline"][numbers] / self.stretches
        recent += self._joined.fresh.visitors(rows, counters, now, window=self._window)
        return Measured(recent, usual, levelled((recent + SHRINK) / (usual + SHRINK)))

    def baseline(self, row: int) -> int:
        """Visitors of one row in the whole baseline."""
        product = self._joined.product(row)
        if product < 0 or self._table is None:
            return 0
        return int(self._table["baseline"][product])

    def ranked(self, counters: Counters, now: int) -> IntArray:
        """The rows that trend, by falling growth; none while there is no baseline."""
        made, folded, rows = self._ranked
        fresh = STILL if folded == counters.folded else FRESH
        if 0 <= now - made < fresh:
            return rows
        rows = self._rank(counters, now) if self.stretches else NO_ITEMS
        self._ranked = (now, counters.folded, rows)
        return rows

    def rising(self, counters: Counters, now: int) -> frozenset[int]:
        """The rows that trend, in no order."""
        rows = self.ranked(counters, now)
        if rows is not self._rising_of:
            self._rising_of, self._rising_rows = rows, frozenset(rows.tolist())
        return self._rising_rows

    def facets(self, kind: str, counters: Counters, now: int) -> list[FacetTrend]:
        """The `brands` or `categories` (each with all below it) that trend, by falling growth."""
        made, found = self._facets.get(kind, (-FACETS_FRESH, []))
        if 0 <= now - made < FACETS_FRESH:
            return found
        rows = self._active(counters, now) if self.stretches else NO_ITEMS
        if kind == "brands":
            codes, names = self._columns.brand[rows], self._columns.names.names
            found = self._rising(rows[codes > 0], codes[codes > 0], names, counters, now)
        else:
            members, codes = self._categories(rows)
            found = self._rising(members, codes, self._columns.tree.symbols.names, counters, now)
        self._facets[kind] = (now, found)
        return found

    def _categories(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Each row once with every category it is in, its own and those above."""
        symbols = self._columns.tree.symbols
        chains = [[symbols.find(path) or 0 for path in ancestors(n)] for n in symbols.names]
        above = np.zeros((len(chains), max(map(len, chains))), np.int64)
        for code, chain in enumerate(chains[1:], 1):
            above[code, : len(chain)] = chain
        found = above[self._columns.categories[rows]]
        codes = found.reshape(len(rows), found.shape[1] * found.shape[2])
        keys = rows.astype(np.int64)[:, None] * len(chains) + codes
        held = np.unique(keys[codes > 0])
        return (held // len(chains)).astype(np.int32), (held % len(chains)).astype(np.int32)

    def _rising(
        self, members: IntArray, codes: IntArray, names: list[str], counters: Counters, now: int
    ) -> list[FacetTrend]:
        if not len(members):
            return []
        measured = self.measured(members, counters, now)
        recent, usual = np.bincount(codes, measured.recent), np.bincount(codes, measured.usual)
        growth = levelled((recent + SHRINK) / (usual + SHRINK))
        rising = np.flatnonzero((recent >= MINIMUM) & (growth >= GROWTH)).tolist()
        found = [
            FacetTrend(names[c], float(recent[c]), float(usual[c]), float(growth[c]))
            for c in rising
        ]
        return sorted(found, key=lambda facet: (-facet.growth, facet.name))

    def _rank(self, counters: Counters, now: int) -> IntArray:
        rows = self._considered(counters, now)
        measured = self.measured(rows, counters, now)
        rising = np.flatnonzero((measured.recent >= MINIMUM) & (measured.growth >= GROWTH))
        order = best_first(rows[rising], measured.growth[rising], self._columns.ids)
        ranked: IntArray = rows[rising[order]]
        return ranked

    def _considered(self, counters: Counters, now: int) -> IntArray:
        """The rows that may trend: those that did in the snapshot, and those that are busy now."""
        if self._best is None:
            self._best = self._best_counted()
        return distinct(self._best, counters.ranked(self._window, now, "acts"))

    def _active(self, counters: Counters, now: int) -> IntArray:
        """Every row somebody wanted, now or in the baseline."""
        live = counters.ranked(self._window, now, "acts")
        return distinct(self._counted(), live)

    def _counted(self) -> IntArray:
        if self._table is None:
            return NO_ITEMS
        wanted = np.flatnonzero(self._table["recent"] + self._table["baseline"])
        rows = self._joined.rows_of(wanted)
        return rows[rows >= 0]

    def _best_counted(self) -> IntArray:
        if self._table is None or not self.stretches:
            return NO_ITEMS
        recent = self._table["recent"].astype(np.float64)
        growth = (recent + SHRINK) / (self._table["baseline"] / self.stretches + SHRINK)
        enough = np.flatnonzero((recent >= MINIMUM) & (growth >= GROWTH))
        best = enough[np.argsort(-growth[enough], kind="stable")[:CONSIDERED]]
        rows = self._joined.rows_of(best)
        return rows[rows >= 0]
