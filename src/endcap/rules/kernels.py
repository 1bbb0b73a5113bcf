"""The operators over columns. Each gives the rows where it is true, or those where it is false."""

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

from .columns import BoolArray, Coded, FloatArray
from .kinds import BOOL, DYN, STRING
from .masks import UNDEFINED, Mask, Masker, Numbers, both, either, taken, without
from .membership import Members
from .typed import Apply, FieldRef, Typed, fixed, walk

Kernel = Callable[[Masker, Apply, bool], Any]
Test = Callable[..., bool]
FEW = 6
"""Up to so many codes are compared one by one, which beats a lookup."""


def conjunction(masker: Masker, node: Apply, want: bool) -> Mask:
    """True where all parts are true, false where any part is false."""
    return _folded(masker, node, want, want)


def disjunction(masker: Masker, node: Apply, want: bool) -> Mask:
    """True where any part is true, false where all parts are false."""
    return _folded(masker, node, want, not want)


def _folded(masker: Masker, node: Apply, want: bool, every: bool) -> Mask:
    join = both if every else either
    mask: Mask = every
    # What is the same for all products comes first, then short parts: they often decide alone.
    for part in masker.always(node, "order", lambda: sorted(node.args, key=_weight)):
        mask = join(mask, masker.truth(part, want))
        if isinstance(mask, bool):
            if mask is not every:
                return mask
        elif every and not mask.any():
            return False
    return mask


def _weight(part: Typed) -> tuple[bool, int]:
    return part.product, len(walk(part))


def negation(masker: Masker, node: Apply, want: bool) -> Mask:
    """The part with the question turned round."""
    return masker.truth(node.args[0], not want)


def choice(masker: Masker, node: Apply, want: bool) -> Mask | Numbers:
    """Row by row the one or the other, as a mask or as numbers."""
    condition, yes, no = node.args
    when, unless = masker.truth(condition, True), masker.truth(condition, False)
    if node.kind in (BOOL, DYN):
        first = both(when, masker.truth(yes, want))
        return either(first, both(unless, masker.truth(no, want)))
    left, right = masker.numbers(yes), masker.numbers(no)
    if all(n.absent is None or _certain(n) for n in (left, right)):
        # Here NaN says all there is to say of what is missing.
        values = np.where(when, left.values, right.values)
        undefined = without(either(when, unless))
        if undefined is True:
            return Numbers(np.nan, True)
        if undefined is not False and np.any(undefined):
            values = np.where(undefined, np.nan, values)
        return Numbers(values)
    absent = either(both(when, left.missing()), both(unless, right.missing()))
    absent = either(absent, without(either(when, unless)))
    return Numbers(np.where(when, left.values, right.values), absent)


def presence(masker: Masker, node: Apply, want: bool) -> Mask:
    """Where the field has a value."""
    field = node.args[0]
    assert isinstance(field, FieldRef)
    mask = masker.filled(field)
    return mask if want else without(mask)


def arithmetic(calculate: Callable[..., Any]) -> Kernel:
    """A kernel for an operator on numbers; what is missing on either side is missing after."""

    def kernel(masker: Masker, node: Apply, want: bool) -> Numbers:
        parts = [masker.numbers(arg) for arg in node.args]
        absent = reduce(either, [part.missing() for part in parts])
        with np.errstate(all="ignore"):
            values = calculate(*[np.asarray(part.values, np.float64) for part in parts])
        return Numbers(values, absent)

    return kernel


def order(compare: Callable[..., Any], inverse: Callable[..., Any], single: Test) -> Kernel:
    """A kernel for one of `< <= > >=`; `inverse` is the operator that holds where it fails."""
    upwards = compare in (np.less, np.greater_equal)

    def kernel(masker: Masker, node: Apply, want: bool) -> Mask:
        left, right = node.args
        if left.kind == BOOL and right.kind == BOOL:
            return _bools(masker, node, want, single)
        field, value, turned = _sides(masker, left, right)
        if field is not None and isinstance(value, str | bool):
            test = (lambda one: single(value, one)) if turned else (lambda one: single(one, value))
            return _by_value(masker, node, field, test, want)
        one, other = near(masker.numbers(left), not upwards), near(masker.numbers(right), upwards)
        if all(n.absent is None or _certain(n) for n in (one, other)):
            mask: Mask = (compare if want else inverse)(one.values, other.values)
            return mask
        mask = compare(one.values, other.values)
        return _present(one, other, mask if want else np.logical_not(mask))

    return kernel


def near(numbers: Numbers, up: bool) -> Numbers:
    """A whole number that no double equals gives way to its neighbour on the right side."""
    value = numbers.values
    if not isinstance(value, int) or float(value) == value:
        return numbers
    nearest = float(value)
    if (nearest > value) is not up:
        nearest = float(np.nextafter(nearest, np.inf if up else -np.inf))
    return Numbers(nearest, numbers.absent)


def _plain(left: Numbers, right: Numbers) -> bool:
    return all(n.absent is None or n.absent is False for n in (left, right))


def _certain(numbers: Numbers) -> bool:
    value = numbers.values
    if numbers.absent is not False:
        return False
    if isinstance(value, int | float):
        return not math.isnan(value)
    return not bool(np.isnan(value).any())


def _present(left: Numbers, right: Numbers, mask: Mask) -> Mask:
    return both(both(without(left.missing()), without(right.missing())), mask)


def equality(equal: bool, single: Test) -> Kernel:
    """A kernel for `==` or `!=`."""

    def kernel(masker: Masker, node: Apply, want: bool) -> Mask:
        left, right = node.args
        if left.kind == BOOL and right.kind == BOOL:
            return _bools(masker, node, want, single)
        field, value, _ = _sides(masker, left, right)
        if field is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return _equal_numbers(masker, left, right, want is equal)
        if value is UNDEFINED:
            return False
        found = _matching(masker, node, field, value)
        if want is equal:
            return found
        return both(masker.present(field), without(found))

    return kernel


def _equal_numbers(masker: Masker, left: Typed, right: Typed, want: bool) -> Mask:
    here: Mask = True
    sides: list[Numbers] = []
    for node in (left, right):
        if not node.product and masker.single(node) is UNDEFINED:
            return False
        numbers = masker.numbers(node)
        sides.append(numbers)
        if node.product and not want:
            whole = isinstance(node, FieldRef)
            known = masker.present(node) if whole else without(numbers.missing())  # type: ignore[arg-type]
            here = both(here, known)
    one, other = sides
    if not want and _plain(one, other):
        return both(here, np.not_equal(_exact(one.values), _exact(other.values)))
    found: Mask = np.equal(_exact(one.values), _exact(other.values))
    if not _plain(one, other):
        found = _present(one, other, found)
    return found if want else both(here, without(found))


def _exact(value: Any) -> Any:
    """A whole number that no double equals is equal to none."""
    return np.nan if isinstance(value, int) and float(value) != value else value


def _bools(masker: Masker, node: Apply, want: bool, single: Test) -> Mask:
    left, right = node.args
    ones = {flag: masker.truth(left, flag) for flag in (False, True)}
    others = {flag: masker.truth(right, flag) for flag in (False, True)}
    mask: Mask = False
    for one, here in ones.items():
        for other, there in others.items():
            if single(one, other) is want:
                mask = either(mask, both(here, there))
    return mask


def _sides(masker: Masker, left: Typed, right: Typed) -> tuple[FieldRef | None, Any, bool]:
    """The product's field, the value it is compared with, and whether the field stands right."""
    if isinstance(left, FieldRef) and left.product and not right.product:
        return left, masker.single(right), False
    if isinstance(right, FieldRef) and right.product and not left.product:
        return right, masker.single(left), True
    return None, None, False


def _matching(masker: Masker, node: Apply, field: FieldRef, value: Any) -> Mask:
    """Rows whose field is the value, which is no number."""
    if isinstance(value, bool):
        flags = masker.flags(field)
        return False if flags is None else flags == int(value)
    if value is None:
        return False
    coded = masker.texts(field) if isinstance(value, str) else masker.lists(field)
    if coded is None:
        return False
    if value == () and field.kind != DYN:
        return _equal_codes(coded, 0)
    return _coded_in(masker, node, coded, [value])


def _equal_codes(coded: Coded, code: int) -> Mask:
    mask: Mask = coded.codes == code
    return mask


def _coded_in(masker: Masker, node: Apply, coded: Coded, values: Sequence[Any]) -> Mask:
    """Rows whose text or list is one of the values."""
    table = coded.table

    def chosen() -> list[int]:
        return [code for value in values if (code := table.find(value))]

    def lookup() -> BoolArray:
        flags = np.zeros(len(table), np.bool_)
        flags[codes] = True
        return flags

    codes: list[int] = masker.once(node, f"codes {id(table)}", chosen)
    if not codes:
        return False
    if len(codes) <= FEW:
        return reduce(either, [_equal_codes(coded, code) for code in codes])
    return taken(masker.once(node, f"in {id(table)}", lookup), coded)


def _by_value(
    masker: Masker, node: Apply, field: FieldRef, test: Callable[[Any], bool], want: bool
) -> Mask:
    """Rows whose text or flag passes a test."""
    flags = masker.flags(field)
    texts = masker.texts(field)
    value = next(a for a in node.args if a is not field)
    if isinstance(masker.single(value), bool):
        if flags is None:
            return False
        lookup = np.array([test(False) is want, test(True) is want, False])
        return lookup[flags]
    return False if texts is None else masker.looked_up(node, texts, False, test, want)


def text_test(single: Test) -> Kernel:
    """A kernel for a function of a product's text (or list) and single values."""

    def kernel(masker: Masker, node: Apply, want: bool) -> Mask:
        field, *others = node.args
        values = [masker.single(other) for other in others]
        if not isinstance(field, FieldRef) or not field.product:
            return False
        if any(not isinstance(value, str) for value in values):
            return False
        lists = field.kind not in (STRING, DYN)
        coded = masker.lists(field) if lists else masker.texts(field)
        if coded is None:
            return False
        return masker.looked_up(node, coded, lists, lambda one: single(one, *values), want)

    return kernel


def length(masker: Masker, node: Apply, want: bool) -> Numbers:
    """How long a product's text or list is."""
    field = node.args[0]
    assert isinstance(field, FieldRef)
    values: Any = None
    for coded, shape in ((masker.texts(field), "text"), (masker.lists(field), "list")):
        if coded is not None:
            sizes = masker.once(node, shape, partial(_sizes, coded, field))
            here = sizes.take(coded.codes, mode="clip")
            values = here if values is None else np.where(np.isnan(values), here, values)
    return Numbers(np.nan, True) if values is None else Numbers(values)


def _sizes(coded: Coded, field: FieldRef) -> FloatArray:
    table = coded.table
    sizes = np.array([len(table.value(code)) for code in range(len(table))], np.float64)
    if field.kind in (DYN, STRING):
        sizes[0] = np.nan
    return sizes


def among(masker: Masker, node: Apply, want: bool) -> Mask:
    """A product's value in a list of single values, or a single value in a product's list."""
    item, items = node.args
    if item.product:
        values = masker.single(items)
        if not isinstance(values, tuple):
            return False
        return _value_in(masker, node, values, want)
    value = masker.single(item)
    assert isinstance(items, FieldRef)
    lists = masker.lists(items)
    if lists is None or value is UNDEFINED:
        return False
    return taken(masker.once(node, f"{want}", partial(_having, lists, items, value, want)), lists)


def _having(lists: Coded, items: FieldRef, value: Any, want: bool) -> BoolArray:
    lookup = np.zeros(len(lists.table), np.bool_)
    lookup[list(lists.table.having(value))] = True
    if not want:
        lookup = ~lookup
        lookup[0] = items.kind != DYN
    return lookup


def _value_in(masker: Masker, node: Apply, values: tuple[Any, ...], want: bool) -> Mask:
    item = node.args[0]
    if item.kind == BOOL:
        return _bool_in(masker, item, values, want)
    numbers = masker.numbers(item)
    keep = masker.always if fixed(node.args[1]) else masker.once
    members = keep(node, "numbers", lambda: Members(values))
    found: Mask = members.among(numbers.values)
    if numbers.absent is not None:
        found = both(found, without(numbers.absent))
    present = without(numbers.missing())
    if isinstance(item, FieldRef):
        found = either(found, _field_in(masker, node, item, values))
        if not want:
            present = masker.present(item)
    return found if want else both(present, without(found))


def _bool_in(masker: Masker, item: Typed, values: tuple[Any, ...], want: bool) -> Mask:
    mask: Mask = False
    for flag in (True, False):
        if any(one is flag for one in values) is want:
            mask = either(mask, masker.truth(item, flag))
    return mask


def _field_in(masker: Masker, node: Apply, item: FieldRef, values: tuple[Any, ...]) -> Mask:
    found: Mask = False
    for coded, kind in ((masker.texts(item), str), (masker.lists(item), tuple)):
        if coded is not None:
            chosen = [value for value in values if isinstance(value, kind)]
            found = either(found, _coded_in(masker, node, coded, chosen))
            if kind is tuple and () in values and item.kind != DYN:
                found = either(found, coded.codes == 0)
    flags = masker.flags(item)
    if flags is not None:
        for value in (True, False):
            if any(one is value for one in values):
                found = either(found, flags == int(value))
    return found
