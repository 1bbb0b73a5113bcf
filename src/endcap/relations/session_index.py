"""The sessions of a snapshot: what was looked at in each, and the newest sessions per product."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import IntArray, LongArray


class SessionIndex:
    """Sessions numbered by time, the newest last; products by the snapshot's numbers.

    `items` int32 holds the clicks of all sessions one after the other, `offsets` int64[n+1] says
    where each begins, `visitors` uint32[n] tells sessions of one visitor. `postings` int32 holds
    per product its newest sessions, newest first, `places` int16 where in the session the product
    stands last, `starts` int64[p+1] where a product's postings begin. `holders` int32[p] counts
    all sessions with the product.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.offsets: LongArray = arrays["offsets"]
        self.items: IntArray = arrays["items"]
        self.visitors: npt.NDArray[np.uint32] = arrays["visitors"]
        self.starts: LongArray = arrays["starts"]
        self.postings: IntArray = arrays["postings"]
        self.places: npt.NDArray[np.int16] = arrays["places"]
        self.holders: IntArray = arrays["holders"]
        self.repeat_hits: LongArray = arrays["repeat_hits"]
        self.repeat_tries: LongArray = arrays["repeat_tries"]

    def __len__(self) -> int:
        return len(self.offsets) - 1


def spread(starts: LongArray, lengths: LongArray) -> tuple[LongArray, LongArray]:
    """Indexes of several stretches one after the other, and which stretch each belongs to."""
    owner = np.repeat(np.arange(len(starts)), lengths)
    begin = np.cumsum(lengths) - lengths
    return np.arange(len(owner)) - (begin - starts)[owner], owner
