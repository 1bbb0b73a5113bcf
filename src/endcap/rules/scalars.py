"""What the operators do to single values: the meaning that the column kernels are held to.

64-bit integers with an error on overflow, division towards zero, IEEE 754 doubles, comparison of
int and double by value: as the CEL language definition has them.
"""

import math
from collections.abc import Callable
from typing import Any

MIN_INT, MAX_INT = -(2**63), 2**63 - 1


class Undefined(Exception):
    """The value cannot be had: a field is missing, or an operation has no result."""


def _bounded(value: int) -> int:
    if not MIN_INT <= value <= MAX_INT:
        raise Undefined("whole number overflow")
    return value


def _numbers(left: Any, right: Any) -> tuple[Any, Any]:
    """Both as int or both as double; attributes of a product count as double."""
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Undefined("no such operation on these kinds")
    if isinstance(left, float) or isinstance(right, float):
        return float(left), float(right)
    return left, right


def add(left: Any, right: Any) -> Any:
    """Sum of numbers, join of texts or lists."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    left, right = _numbers(left, right)
    return left + right if isinstance(left, float) else _bounded(left + right)


def subtract(left: Any, right: Any) -> Any:
    """Difference."""
    left, right = _numbers(left, right)
    return left - right if isinstance(left, float) else _bounded(left - right)


def multiply(left: Any, right: Any) -> Any:
    """Product."""
    left, right = _numbers(left, right)
    return left * right if isinstance(left, float) else _bounded(left * right)


def divide(left: Any, right: Any) -> Any:
    """Quotient; of ints it is cut towards zero, and division by zero has no result."""
    left, right = _numbers(left, right)
    if isinstance(left, float):
        if right:
            return left / right
        if math.isnan(left) or left == 0:
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    if right == 0:
        raise Undefined("division by zero")
    quotient = abs(left) // abs(right)
    return _bounded(quotient if (left < 0) == (right < 0) else -quotient)


def remainder(left: Any, right: Any) -> int:
    """Remainder of ints, with the sign of the left one."""
    if right == 0:
        raise Undefined("remainder of a division by zero")
    value: int = left - right * divide_exact(left, right)
    return value


def divide_exact(left: int, right: int) -> int:
    """Quotient cut towards zero, without the 64-bit bound."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def negate(value: Any) -> Any:
    """The number with the other sign."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Undefined("no such operation on this kind")
    return -value if isinstance(value, float) else _bounded(-value)


def same(left: Any, right: Any) -> bool:
    """Equality: numbers by value, lists item by item, different kinds are never equal."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return type(left) is type(right) and bool(left == right)


def different(left: Any, right: Any) -> bool:
    """Not the same."""
    return not same(left, right)


def _comparable(left: Any, right: Any) -> None:
    numbers = [
        isinstance(value, int | float) and not isinstance(value, bool) for value in (left, right)
    ]
    alike = type(left) is type(right) and isinstance(left, bool | str)
    if not (all(numbers) or alike):
        raise Undefined("these kinds have no order")


def less(left: Any, right: Any) -> bool:
    """Order of numbers, texts (by code point) and bools (false first)."""
    _comparable(left, right)
    return bool(left < right)


def at_most(left: Any, right: Any) -> bool:
    """Less or equal."""
    _comparable(left, right)
    return bool(left <= right)


def greater(left: Any, right: Any) -> bool:
    """Greater."""
    _comparable(left, right)
    return bool(left > right)


def at_least(left: Any, right: Any) -> bool:
    """Greater or equal."""
    _comparable(left, right)
    return bool(left >= right)


def among(item: Any, items: Any) -> bool:
    """Whether the list has an item that is the same."""
    if not isinstance(items, tuple):
        raise Undefined("not a list")
    return any(same(item, one) for one in items)


def item_at(items: Any, place: Any) -> Any:
    """The item at a place, from 0."""
    if not isinstance(items, tuple) or isinstance(place, bool) or not 0 <= place < len(items):
        raise Undefined("no item at this place")
    return items[int(place)]


def size(value: Any) -> int:
    """Code points of a text, items of a list."""
    if not isinstance(value, str | tuple):
        raise Undefined("neither a text nor a list")
    return len(value)


def _texts(*values: Any) -> None:
    if not all(isinstance(value, str) for value in values):
        raise Undefined("not a text")


def starts_with(text: Any, part: Any) -> bool:
    """Whether the text begins with the part."""
    _texts(text, part)
    return bool(text.startswith(part))


def ends_with(text: Any, part: Any) -> bool:
    """Whether the text ends with the part."""
    _texts(text, part)
    return bool(text.endswith(part))


def contains(text: Any, part: Any) -> bool:
    """Whether the part is in the text."""
    _texts(text, part)
    return part in text


def in_category(paths: Any, path: Any) -> bool:
    """Whether one of the category paths is `path` or below it."""
    _texts(path)
    return any(one == path or one.startswith(path + " > ") for one in paths)


Thunk = Callable[[], Any]
"""Gives a value when called, or raises Undefined."""


def _truth(thunk: Thunk) -> bool | None:
    """True, False, or None when there is no such value."""
    try:
        value = thunk()
    except Undefined:
        return None
    return value if isinstance(value, bool) else None


def every(*parts: Thunk) -> bool:
    """And: false wins over what is undefined, whatever the order."""
    truths = [_truth(part) for part in parts]
    if False in truths:
        return False
    if None in truths:
        raise Undefined("a part of && is undefined")
    return True


def some(*parts: Thunk) -> bool:
    """Or: true wins over what is undefined, whatever the order."""
    truths = [_truth(part) for part in parts]
    if True in truths:
        return True
    if None in truths:
        raise Undefined("a part of || is undefined")
    return False


def opposite(part: Thunk) -> bool:
    """Not."""
    truth = _truth(part)
    if truth is None:
        raise Undefined("not a bool")
    return not truth


def choice(condition: Thunk, yes: Thunk, no: Thunk) -> Any:
    """The first or the second, by the condition; the other one is not looked at."""
    truth = _truth(condition)
    if truth is None:
        raise Undefined("the condition is undefined")
    return yes() if truth else no()


def present(part: Thunk) -> bool:
    """Whether the field is there."""
    try:
        return bool(part() != ())
    except Undefined:
        return False
