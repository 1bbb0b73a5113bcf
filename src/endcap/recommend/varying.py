"""Rules whose `where` reads the request beside the product: worked out per request, together."""

from collections.abc import Iterator, Sequence

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray
from endcap.rules.expression import CHUNK
from endcap.rules.together import Together

from .active_rule import ActiveRule
from .environment import values_of
from .query import Query, State
from .rule_tests import ProductTest


class Varying:
    """Some rules of one placement, each with its bit in sets of rules."""

    def __init__(self, rules: Sequence[tuple[int, ActiveRule]]) -> None:
        tests = [(b, r, r.where) for b, r in rules if isinstance(r.where, ProductTest)]
        own = [(b, r) for b, r in rules if not isinstance(r.where, ProductTest)]
        self.rules = [*((b, r) for b, r, _ in tests), *own]
        # Rules with the same `where` share one place.
        texts = list(dict.fromkeys(where.expression.text for _, _, where in tests))
        by_text = {where.expression.text: where.expression for _, _, where in tests}
        self._together = Together([by_text[text] for text in texts])
        self._place = np.array([texts.index(w.expression.text) for _, _, w in tests], np.intp)
        self._places = len(texts)
        self._own = own
        self._bits = sum(1 << b for b, _ in self.rules)
        self._numbers = [b for b, _ in self.rules]

    def any_on(self, on: int) -> bool:
        """Whether one of the rules is on."""
        return bool(self._bits & on)

    def on(self, on: int) -> BoolArray:
        """Which of the rules are on."""
        return np.array([on >> bit & 1 for bit in self._numbers], np.bool_)

    def masks(self, rows: IntArray, query: Query, state: State, on: BoolArray) -> BoolArray:
        """[rules, rows]: which rows each rule matches; none where a rule is not on."""
        values = values_of(query, state)
        count = len(self.rules) - len(self._own)
        parts: list[BoolArray] = []
        if count:
            needed = np.zeros(self._places, np.bool_)
            needed[self._place[on[:count]]] = True
            masks = self._together.masks(values.fields, rows, values, needed)
            parts.append(masks[self._place] & on[:count, None])
        for place, (_, rule) in enumerate(self._own, count):
            matched = rule.matches(rows, query, state) if on[place] else np.zeros(len(rows), bool)
            parts.append(matched[None, :])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def stretches(count: int) -> Iterator[slice]:
    """So many rows in stretches whose masks stay small."""
    for begin in range(0, count, CHUNK):
        yield slice(begin, begin + CHUNK)
