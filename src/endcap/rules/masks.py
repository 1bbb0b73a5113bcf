"""Evaluating an expression over columns: where it is true, and where it is false.

A part may be true, false or undefined (a value is missing). Asking for the rows where it is true
and those where it is false separately carries the three cases in plain masks: `!` swaps the two
questions, `&&` is true where all parts are true and false where any part is false. This gives
CEL's absorption of errors at one pass per operator.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .columns import BoolArray, ByteArray, Coded, Fields, FloatArray, Rows
from .evaluate import Environment, Run, runner
from .kinds import BOOL, DYN, NUMBERS, STRING, is_list
from .scalars import Undefined
from .typed import Apply, FieldRef, Typed, fixed

Mask = BoolArray | bool
"""One flag per row, or the same for all rows."""
UNDEFINED = object()
# Of a table with up to so many texts so many answers are remembered: some 100 kB an expression.
SMALL = 2_000
REMEMBERED = 24


class Numbers(NamedTuple):
    """Values per row or one for all; `absent` None means: exactly where the value is NaN."""

    values: FloatArray | float
    absent: Mask | None = None

    def missing(self) -> Mask:
        """Where there is no value."""
        if self.absent is not None:
            return self.absent
        missing: Mask = np.isnan(self.values)
        return missing


class Kept(NamedTuple):
    """What is kept between stretches: `always` with the expression, `made` for one evaluation."""

    always: dict[tuple[int, str], Any]
    made: dict[tuple[int, str], Any]


class Masker:
    """One evaluation: columns, rows, and the values of the request."""

    def __init__(self, fields: Fields, rows: Rows, env: Environment, kept: "Kept") -> None:
        self.fields = fields
        self.rows = rows
        self.env = env
        self._kept = kept
        # A field that is read several times is made and searched for gaps once.
        self._columns: dict[tuple[str, str, str | None], Any] = {}
        self._filled: dict[tuple[str, str | None], Mask] = {}

    def _column(self, shape: str, read: Callable[..., Any], node: FieldRef) -> Any:
        key = (shape, node.name, node.key)
        if key not in self._columns:
            self._columns[key] = read(node.name, node.key, self.rows)
        return self._columns[key]

    def truth(self, node: Typed, want: bool) -> Mask:
        """Rows where the node is definitely `want`."""
        if not node.product:
            return self.single(node) is want
        if isinstance(node, FieldRef):
            flags = self.flags(node)
            return False if flags is None else flags == int(want)
        assert isinstance(node, Apply)
        assert node.operator.kernel is not None
        mask: Mask = node.operator.kernel(self, node, want)
        return mask

    def single(self, node: Typed) -> Any:
        """The value of a node that is the same for all products, or UNDEFINED."""
        return self.once(node, "single", lambda: self._single(node))

    def _single(self, node: Typed) -> Any:
        try:
            run: Run = self.always(node, "run", lambda: runner(node))
            return run(self.env)
        except Undefined:
            return UNDEFINED

    def once(self, node: Typed, what: str, make: Callable[[], Any]) -> Any:
        """Something that is the same for all stretches of one evaluation, made the first time."""
        return _made(self._kept.made, node, what, make)

    def always(self, node: Typed, what: str, make: Callable[[], Any]) -> Any:
        """Something that follows from the expression alone, made once for good."""
        return _made(self._kept.always, node, what, make)

    def numbers(self, node: Typed) -> Numbers:
        """The node as numbers; what is no number is absent."""
        if not node.product:
            value = self.single(node)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return Numbers(value, False)
            return Numbers(np.nan, True)
        if isinstance(node, FieldRef):
            column = None
            if node.kind in NUMBERS or node.kind == DYN:
                column = self._column("numbers", self.fields.numbers, node)
            return Numbers(np.nan, True) if column is None else Numbers(column)
        assert isinstance(node, Apply)
        assert node.operator.kernel is not None
        numbers: Numbers = node.operator.kernel(self, node, True)
        return numbers

    def texts(self, node: FieldRef) -> Coded | None:
        """The field as texts."""
        if node.kind not in (STRING, DYN):
            return None
        found: Coded | None = self._column("texts", self.fields.texts, node)
        return found

    def flags(self, node: FieldRef) -> ByteArray | None:
        """The field as bools."""
        if node.kind not in (BOOL, DYN):
            return None
        found: ByteArray | None = self._column("flags", self.fields.flags, node)
        return found

    def lists(self, node: FieldRef) -> Coded | None:
        """The field as lists."""
        if not is_list(node.kind) and node.kind != DYN:
            return None
        found: Coded | None = self._column("lists", self.fields.lists, node)
        return found

    def present(self, node: FieldRef) -> Mask:
        """Where the field has a value of any kind; a field that is always a list always has one."""
        if is_list(node.kind):
            return True
        return self.filled(node)

    def filled(self, node: FieldRef) -> Mask:
        """Where the field has a value; an empty list is none."""
        key = (node.name, node.key)
        if key not in self._filled:
            self._filled[key] = self._found(node)
        return self._filled[key]

    def _found(self, node: FieldRef) -> Mask:
        mask: Mask = False
        for coded in (self.texts(node), self.lists(node)):
            if coded is not None:
                mask = either(mask, coded.codes != 0)
        numbers = self.numbers(node)
        if numbers.absent is None:
            mask = either(mask, ~np.isnan(numbers.values))
        flags = self.flags(node)
        if flags is not None:
            mask = either(mask, flags >= 0)
        return mask

    def looked_up(
        self, place: Apply, coded: Coded, whole: bool, test: Callable[[Any], bool], want: bool
    ) -> Mask:
        """Rows whose value passes the test (or definitely fails it), asked once per value.

        What was asked before is remembered with the expression when the test depends on nothing
        but the expression. `whole`: the empty value counts as a value.
        """
        table, size = coded.table, len(coded.table)
        kept = all(fixed(arg) for arg in place.args if not arg.product)
        lookups: dict[Any, Any] = self._kept.always if kept else self._kept.made
        key: Any = (id(place), "lookup")
        if not kept and size <= SMALL:
            # Seeds come again: what was asked for their values is remembered, too.
            lookups = self.always(place, "lookups", dict)
            key = tuple([self.single(arg) for arg in place.args if not arg.product])
            if len(lookups) >= REMEMBERED and key not in lookups:
                lookups.pop(next(iter(lookups)))
        known = lookups.get(key)
        if known is None or known[0] is not table:
            known = (table, NOTHING, NOTHING)
        _, yes, no = known
        if len(yes) < size:
            fresh = np.array([test(table.value(c)) for c in range(len(yes), size)], np.bool_)
            first = len(yes) == 0
            yes, no = np.concatenate([yes, fresh]), np.concatenate([no, ~fresh])
            if first and not whole:
                yes[0] = no[0] = False
            lookups[key] = (table, yes, no)
        return taken(yes if want else no, coded)


def _made(kept: dict[tuple[int, str], Any], node: Typed, what: str, make: Callable[[], Any]) -> Any:
    key = (id(node), what)
    if key not in kept:
        kept[key] = make()
    return kept[key]


NOTHING: BoolArray = np.zeros(0, np.bool_)


def taken(lookup: BoolArray, coded: Coded) -> BoolArray:
    """The lookup's flag for each row. Codes are in range, so the quick clipping mode is safe."""
    return lookup.take(coded.codes, mode="clip")


def both(left: Mask, right: Mask) -> Mask:
    """And, without work where one side is the same for all rows."""
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    return left & right


def either(left: Mask, right: Mask) -> Mask:
    """Or."""
    if isinstance(left, bool):
        return True if left else right
    if isinstance(right, bool):
        return True if right else left
    return left | right


def without(mask: Mask) -> Mask:
    """Not."""
    return not mask if isinstance(mask, bool) else ~mask
