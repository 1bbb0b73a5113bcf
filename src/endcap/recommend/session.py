"""What the session retrievers share: the current session read newest first, and shares of 1."""

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray, LongArray

from .stages import Allow


def recent(session: IntArray, last: int) -> tuple[IntArray, LongArray]:
    """The session's last `last` products, newest first, each once, and how many clicks ago.

    A product clicked several times stands where it was clicked last.
    """
    _, first = np.unique(session, return_index=True)
    lags = np.sort(first)[:last]
    return session[lags], lags


def shares(
    rows: IntArray, scores: FloatArray, allow: Allow, want: int
) -> tuple[LongArray, FloatArray]:
    """Places of the best `want` allowed rows, best first, and their scores made to sum to 1.

    Lists that are each a share of 1 can be added up without one drowning the others. Ties break
    by row.
    """
    positive = np.flatnonzero(scores > 0)
    places = positive[allow(rows[positive])]
    if len(places) > want:
        best = np.argpartition(-scores[places], want - 1)[:want]
        places = places[best]
    places = places[np.lexsort((rows[places], -scores[places]))]
    kept = scores[places]
    total = kept.sum()
    return places, kept / total if total > 0 else kept
