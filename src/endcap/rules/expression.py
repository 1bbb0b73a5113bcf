"""Compiling an expression and using it: on columns, on single values, in English."""

from typing import Any

import numpy as np

from .check import check, fields_of
from .columns import BoolArray, Fields, Rows
from .cost import check_cost
from .english import english
from .errors import ExpressionError
from .evaluate import Environment, runner
from .fields import Schema
from .kinds import BOOL, DYN, STRING, Kind, is_list
from .masks import Kept, Masker
from .parser import parse
from .scalars import Undefined
from .typed import Apply, FieldRef, Typed, walk

CHUNK = 65_536
"""Rows worked on at a time: what is made in between stays in the processor's cache."""
MAX_VALUES = 20_000
"""A text function is asked once per different text; of more texts than this it is refused."""


class Expression:
    """A checked expression. It never fails to run: what is undefined counts as false."""

    def __init__(self, text: str, root: Typed) -> None:
        self.text = text
        self.root = root
        self.kind: Kind = root.kind
        self.reads = frozenset((f.root, f.name, f.key) for f in fields_of(root))
        self.product_only = all(name == "product" for name, _, _ in self.reads)
        self.cost = check_cost(root)
        self._run = runner(root)
        self._always: dict[tuple[int, str], Any] = {}

    @property
    def product(self) -> bool:
        """Whether the answer differs from product to product."""
        return self.root.product

    def mask(self, fields: Fields, rows: Rows, env: Environment) -> BoolArray:
        """Which of the rows it is true for; `env` has the values that are not the product's."""
        count = fields.count(rows)
        kept = Kept(self._always, {})
        if count <= CHUNK:
            return self._mask(Masker(fields, rows, env, kept), count)
        whole = np.empty(count, np.bool_)
        for start in range(0, count, CHUNK):
            stretch = slice(start, min(start + CHUNK, count))
            masker = Masker(fields, within(rows, stretch), env, kept)
            whole[stretch] = self._mask(masker, stretch.stop - start)
        return whole

    def _mask(self, masker: Masker, count: int) -> BoolArray:
        found = masker.truth(self.root, True)
        if isinstance(found, np.ndarray) and found.shape == (count,):
            return found
        return np.full(count, bool(found), np.bool_)

    def numbers(self, fields: Fields, rows: Rows, env: Environment) -> Any:
        """The expression as numbers per row, NaN where there is none."""
        found = Masker(fields, rows, env, Kept(self._always, {})).numbers(self.root)
        return np.where(found.missing(), np.nan, found.values)

    def holds(self, env: Environment) -> bool:
        """Whether it is true for these single values."""
        return self.value(env) is True

    def value(self, env: Environment) -> Any:
        """The value for these single values; None when it is undefined."""
        try:
            return self._run(env)
        except Undefined:
            return None

    def english(self) -> str:
        """The expression as a sentence, without a full stop."""
        return english(self.root)

    def check_values(self, fields: Fields) -> None:
        """Refuse text functions on fields with too many different texts. Raises ExpressionError."""
        for node in walk(self.root):
            if not isinstance(node, Apply) or not _asks_each_value(node):
                continue
            for field in node.args:
                if isinstance(field, FieldRef) and field.product:
                    _check_field(field, node, fields)


def within(rows: Rows, stretch: slice) -> Rows:
    """A stretch of some rows."""
    if not isinstance(rows, slice):
        return rows[stretch]
    first = rows.start or 0
    return slice(first + stretch.start, first + stretch.stop)


def compile_expression(text: str, schema: Schema, want: Kind = BOOL) -> Expression:
    """Parse and check. `want` is the kind it must have. Raises ExpressionError."""
    root = check(parse(text), schema)
    if root.kind not in (want, DYN):
        raise ExpressionError(
            f"the expression gives a {root.kind}, but a {want} is needed", root.at, code="kinds"
        )
    return Expression(text, root)


def _asks_each_value(node: Apply) -> bool:
    symbol = node.operator.symbol
    if symbol in ("<", "<=", ">", ">="):
        return any(arg.kind in (STRING, DYN) for arg in node.args)
    lists = any(is_list(arg.kind) and arg.product for arg in node.args)
    return symbol in ("startsWith", "endsWith", "contains", "size", "in_category") or (
        symbol in ("==", "!=") and lists
    )


def _check_field(field: FieldRef, node: Apply, fields: Fields) -> None:
    nothing = np.zeros(0, np.int32)
    for coded in (
        fields.texts(field.name, field.key, nothing),
        fields.lists(field.name, field.key, nothing),
    ):
        if coded is not None and len(coded.table) > MAX_VALUES:
            name = field.name if field.key is None else f"{field.name}.{field.key}"
            raise ExpressionError(
                f"`product.{name}` has {len(coded.table):,} different values; "
                f"`{node.operator.symbol}` is taken for at most {MAX_VALUES:,}",
                node.at,
                "use `==` or `in`",
                "too_costly",
            )
