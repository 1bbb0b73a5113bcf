"""From clicks in order to the arrays of `relations.session_index`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import IntArray, LongArray

Arrays = dict[str, npt.NDArray[Any]]
# The next click is compared with the products clicked up to this many clicks before.
REPEAT_LAGS = 20


def index_sessions(
    offsets: LongArray, items: IntArray, visitors: npt.NDArray[Any], products: int, newest: int
) -> Arrays:
    """Arrays of sessions given in the order of time.

    `items` are the clicks of all sessions one after the other, `offsets` where each session
    begins, `visitors` a code per session; per product the `newest` sessions are kept.
    """
    session = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    place = np.arange(len(items), dtype=np.int64) - offsets[session]
    # Product, then newest session, then last place; the first of each (product, session) stays.
    order = np.argsort(items, kind="stable")[::-1]
    product, held = items[order], session[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (product[1:] != product[:-1]) | (held[1:] != held[:-1])
    order, product = order[first][::-1], product[first][::-1]
    holders = np.bincount(product, minlength=products)
    rank = (np.cumsum(holders) - 1)[product] - np.arange(len(product))
    order, product = order[rank < newest], product[rank < newest]
    starts = np.zeros(products + 1, np.int64)
    np.cumsum(np.bincount(product, minlength=products), out=starts[1:])
    # The stable sort left each product's sessions oldest first.
    flip = starts[product] + starts[product + 1] - 1 - np.arange(len(product))
    order = order[flip]
    hits, tries = count_repeats(offsets, items)
    return {
        "offsets": offsets.astype(np.int64),
        "items": items.astype(np.int32),
        "visitors": visitors.astype(np.uint32),
        "starts": starts,
        "postings": session[order],
        "places": np.minimum(place[order], np.iinfo(np.int16).max).astype(np.int16),
        "holders": holders.astype(np.int32),
        "repeat_hits": hits,
        "repeat_tries": tries,
    }


def count_repeats(offsets: LongArray, items: IntArray) -> tuple[LongArray, LongArray]:
    """How often a click was on the product seen `lag` clicks before it, and how often it could be.

    Lag 0 is the click just before. A product counts at its newest place only.
    """
    place = np.arange(len(items)) - np.repeat(offsets[:-1], np.diff(offsets))
    hits = np.zeros(REPEAT_LAGS, np.int64)
    tries = np.zeros(REPEAT_LAGS, np.int64)
    for lag in range(REPEAT_LAGS):
        click = np.flatnonzero(place > lag)
        before = items[click - 1 - lag]
        newest = np.ones(len(click), np.bool_)
        for nearer in range(lag):
            newest &= items[click - 1 - nearer] != before
        click, before = click[newest], before[newest]
        tries[lag] = len(click)
        hits[lag] = int((items[click] == before).sum())
    return hits, tries
