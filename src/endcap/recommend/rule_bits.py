"""Which products fixed rules match, as bits: a section of bytes for each kind of rule."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import BoolArray, FloatArray

from .active_rule import ActiveRule

Bytes = npt.NDArray[np.uint8]
# Tables of factors kept, by the set of rules that is on.
TABLES = 256


class Section:
    """The bits of some rules: rule `n` is bit `n % 8` from the left of byte `start + n // 8`.

    `bits` is the set of these rules among all of the placement.
    """

    def __init__(self, rules: Sequence[tuple[int, ActiveRule]], start: int) -> None:
        self.rules = tuple(rules)
        self.start = start
        self.width = (len(rules) + 7) // 8
        self.bits = sum(1 << number for number, _ in rules)
        self._masks: OrderedDict[int, Bytes] = OrderedDict()
        self._tables: OrderedDict[int, FloatArray] = OrderedDict()

    def any(self, by: Bytes, on: int) -> BoolArray:
        """Which rows have the bit of a rule that is on."""
        own = self._own(by) & self._mask(on)
        found: BoolArray = np.bitwise_or.reduce(own, axis=1) != 0
        return found

    def product(self, by: Bytes, on: int) -> FloatArray:
        """Per row the factors of the rules that match it and are on, multiplied."""
        table = self._table(on)
        found: FloatArray = table[np.arange(self.width), self._own(by)].prod(axis=1)
        return found

    def matches(self, by: Bytes, on: int) -> list[tuple[int, int]]:
        """Pairs of a row's place and the number of a rule that matches it and is on."""
        bits = np.unpackbits(self._own(by) & self._mask(on), axis=1)
        places, own = np.nonzero(bits)
        pairs = zip(places.tolist(), own.tolist(), strict=True)
        return [(place, self.rules[one][0]) for place, one in pairs]

    def _own(self, by: Bytes) -> Bytes:
        return by[:, self.start : self.start + self.width]

    def _mask(self, on: int) -> Bytes:
        on &= self.bits
        mask = self._masks.get(on)
        if mask is None:
            flags = np.array([on >> number & 1 for number, _ in self.rules], np.bool_)
            mask = self._masks[on] = np.packbits(flags)
            if len(self._masks) > TABLES:
                self._masks.popitem(last=False)
        return mask

    def _table(self, on: int) -> FloatArray:
        """[bytes, 256]: the product of the factors behind the bits of each value of a byte."""
        on &= self.bits
        table = self._tables.get(on)
        if table is None:
            factors = np.ones((self.width, 8))
            for place, (number, rule) in enumerate(self.rules):
                if on >> number & 1:
                    factors[place // 8, place % 8] = rule.factor
            bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
            table = np.where(bits, factors[:, None, :], 1.0).prod(axis=2)
            self._tables[on] = table
            if len(self._tables) > TABLES:
                self._tables.popitem(last=False)
        return table


def sections(*groups: Sequence[tuple[int, ActiveRule]]) -> list[Section]:
    """One section after the other."""
    made: list[Section] = []
    start = 0
    for rules in groups:
        made.append(Section(rules, start))
        start += made[-1].width
    return made
