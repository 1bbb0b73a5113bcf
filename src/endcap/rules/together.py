"""Many conditions on products worked out side by side, as rules that read the request need it.

Rules of one shop look alike: `product.price <= 1.2 * seed.price`, `product.brand == seed.brand`.
Parts that compare one field of the product with a value of the request are taken together by field
and operator: one comparison of arrays does for all of them. Other parts are masks of their own.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from .check import fields_of
from .columns import BoolArray, Fields, FloatArray, Rows
from .evaluate import Environment, Run, runner
from .expression import Expression
from .kernels import near
from .kinds import NUMBERS, STRING
from .masks import Kept, Masker, Numbers
from .remembered import Remembered
from .scalars import Undefined
from .typed import Apply, FieldRef, Typed

ORDERS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


class Part(NamedTuple):
    """`field symbol value` as a part of condition number `number`."""

    number: int
    field: FieldRef
    symbol: str
    value: Typed


class Group(Protocol):
    """Parts of different conditions that are worked out at once."""

    numbers: list[int]

    def masks(self, fields: Fields, rows: Rows, env: Environment) -> BoolArray:
        """[parts, rows]: where each part is true."""


class Together:
    """The conditions, by number."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._size = len(expressions)
        self._others: list[tuple[int, Typed]] = []
        self._always: dict[tuple[int, str], Any] = {}
        parts: dict[Any, list[Part]] = {}
        for number, expression in enumerate(expressions):
            seen: dict[Any, int] = {}
            for node in _conjuncts(expression.root):
                part = _part(number, node)
                if part is None:
                    self._others.append((number, node))
                    continue
                key = (part.field.name, part.symbol, frozenset(_reads(part.value)))
                # A group holds one part of each condition.
                seen[key] = seen.get(key, 0) + 1
                parts.setdefault((*key, seen[key]), []).append(part)
        self._groups: list[Group] = [
            Texts(own) if own[0].symbol == "==" else Orders(own) for own in parts.values()
        ]

    def masks(
        self, fields: Fields, rows: Rows, env: Environment, on: BoolArray | None = None
    ) -> BoolArray:
        """[conditions, rows]: where each is true; of those that are not `on` it does not matter."""
        whole = np.ones((self._size, fields.count(rows)), np.bool_)
        for group in self._groups:
            found = group.masks(fields, rows, env)
            if len(group.numbers) == self._size:
                whole &= found
            else:
                whole[group.numbers] &= found
        if self._others:
            masker = Masker(fields, rows, env, Kept(self._always, {}))
            for number, node in self._others:
                if on is None or on[number]:
                    whole[number] &= masker.truth(node, True)
        return whole


class Orders:
    """Parts `product.price <= value`, all of one field and operator."""

    def __init__(self, parts: list[Part]) -> None:
        self.numbers = [part.number for part in parts]
        self._field = parts[0].field.name
        self._compare = ORDERS[parts[0].symbol]
        self._up = self._compare in (np.less, np.greater_equal)
        self._runs = [runner(part.value) for part in parts]
        self._bounds = Remembered(_reads(parts[0].value), self._bounds_of)

    def masks(self, fields: Fields, rows: Rows, env: Environment) -> BoolArray:
        """[parts, rows]: where each part is true."""
        column = fields.numbers(self._field, None, rows)
        if column is None:
            return np.zeros((len(self.numbers), fields.count(rows)), np.bool_)
        found: BoolArray = self._compare(column, self._bounds(env)[:, None])
        return found

    def _bounds_of(self, env: Environment) -> FloatArray:
        return np.array([self._bound(run, env) for run in self._runs])

    def _bound(self, run: Run, env: Environment) -> Any:
        value = _value(run, env)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return np.nan
        return near(Numbers(value, False), self._up).values


class Texts:
    """Parts `product.brand == value`, all of one field."""

    def __init__(self, parts: list[Part]) -> None:
        self.numbers = [part.number for part in parts]
        self._field = parts[0].field.name
        self._runs = [runner(part.value) for part in parts]
        self._values = Remembered(
            _reads(parts[0].value), lambda env: [_value(run, env) for run in self._runs]
        )

    def masks(self, fields: Fields, rows: Rows, env: Environment) -> BoolArray:
        """[parts, rows]: where each part is true."""
        coded = fields.texts(self._field, None, rows)
        if coded is None:
            return np.zeros((len(self.numbers), fields.count(rows)), np.bool_)
        find = coded.table.find
        values = self._values(env)
        codes = [(find(value) or -1) if isinstance(value, str) else -1 for value in values]
        found: BoolArray = coded.codes == np.array(codes, np.int32)[:, None]
        return found


def _value(run: Run, env: Environment) -> Any:
    try:
        return run(env)
    except Undefined:
        return None


def _conjuncts(node: Typed) -> list[Typed]:
    if isinstance(node, Apply) and node.operator.symbol == "&&":
        return [part for arg in node.args for part in _conjuncts(arg)]
    return [node]


def _part(number: int, node: Typed) -> Part | None:
    """The node as a part of a group; None when it is none."""
    if not isinstance(node, Apply) or node.operator.symbol not in TURNED:
        return None
    left, right = node.args
    symbol = node.operator.symbol
    if right.product:
        left, right, symbol = right, left, TURNED[symbol]
    if not isinstance(left, FieldRef) or not left.product or right.product:
        return None
    kinds = (STRING,) if symbol == "==" else NUMBERS
    if left.kind not in kinds or right.kind not in kinds:
        return None
    return Part(number, left, symbol, right)


def _reads(node: Typed) -> frozenset[tuple[str, str, str | None]]:
    return frozenset((field.root, field.name, field.key) for field in fields_of(node))
