"""Products related to others, read from a relation, and several lists of them added up."""

from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, FloatArray, IntArray, LongArray


class Partners(NamedTuple):
    """Products related to some seeds: catalogue rows, scores, and where each pair stands.

    `place` is the row of the relation with the pair's evidence, `seed` the catalogue row of the
    seed that gave it (of several seeds the one with the highest score).
    """

    items: IntArray
    scores: FloatArray
    place: LongArray
    seed: IntArray

    def taken(self, keep: BoolArray) -> "Partners":
        """Those flagged."""
        return Partners(self.items[keep], self.scores[keep], self.place[keep], self.seed[keep])


NO_PARTNERS = Partners(NO_ITEMS, np.empty(0), np.empty(0, np.int64), NO_ITEMS)


def stacked(parts: list[Partners], scores: list[FloatArray]) -> Partners:
    """The pairs of several products one after the other, with these scores in place of theirs."""
    return Partners(
        np.concatenate([part.items for part in parts]),
        np.concatenate(scores),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.seed for part in parts]),
    )


def added_up(pairs: Partners) -> Partners:
    """Each product once, by row: its scores added up, and the pair that gave most to cite."""
    if not len(pairs.items):
        return NO_PARTNERS
    # By row and, within it, the best pair first; of equal pairs the one that stands first.
    order = np.lexsort((-pairs.scores, pairs.items))
    items, scores = pairs.items[order], pairs.scores[order]
    first = np.empty(len(items), np.bool_)
    first[0] = True
    np.not_equal(items[1:], items[:-1], out=first[1:])
    begins = np.flatnonzero(first)
    if len(begins) < len(items):
        scores, order, items = np.add.reduceat(scores, begins), order[begins], items[begins]
    return Partners(items, scores, pairs.place[order], pairs.seed[order])
