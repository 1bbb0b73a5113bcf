"""Order by score: what differs by no more than rounding is tied, and ties break by product id."""

from collections.abc import Sequence

import numpy as np

from .arrays import FloatArray, IntArray, LongArray

# Of a double's 52 bits after the first, so many are dropped. What is left tells scores apart that
# differ by 1/65,536; sums added in another order, or kept in single precision, differ by far less.
_DROPPED = 36
_HALF = np.int64(1 << (_DROPPED - 1))
_KEPT = np.int64(-(1 << _DROPPED))


def levelled(scores: FloatArray) -> FloatArray:
    """The scores rounded to 17 significant bits, so that equal counts have equal scores."""
    bits = np.ascontiguousarray(scores, np.float64).view(np.int64)
    level: FloatArray = ((bits + _HALF) & _KEPT).view(np.float64)
    return level


def best_first(rows: IntArray, scores: FloatArray, ids: Sequence[str]) -> LongArray:
    """Places of the rows by falling score, ties by the rows' ids."""
    order = np.argsort(-scores, kind="stable")
    begins = np.flatnonzero(np.diff(scores[order], prepend=np.nan))
    ends = np.append(begins[1:], len(order))
    tied = np.flatnonzero(ends - begins > 1)
    for begin, end in zip(begins[tied].tolist(), ends[tied].tolist(), strict=True):
        own = [ids[row] for row in rows[order[begin:end]].tolist()]
        order[begin:end] = order[begin:end][sorted(range(end - begin), key=own.__getitem__)]
    return order
