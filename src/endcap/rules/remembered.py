"""What follows from some fields of the request, kept by the values of those fields."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from .evaluate import Environment

MOST = 1_000

T = TypeVar("T")
Read = tuple[str, str, str | None]
"""Root, field and key."""


class Remembered(Generic[T]):
    """A function of the environment that is worked out once per different values it reads.

    Visitors with three orders, or requests about the same product, share what was worked out. The
    `most` values used last are kept.
    """

    def __init__(
        self, reads: Iterable[Read], make: Callable[[Environment], T], most: int = MOST
    ) -> None:
        self._reads = tuple(sorted(reads, key=lambda read: (read[0], read[1], read[2] or "")))
        self._make = make
        self._most = most
        self._kept: OrderedDict[tuple[Any, ...], T] = OrderedDict()

    def __call__(self, env: Environment) -> T:
        """The value for these fields."""
        key = tuple([_value(env, read) for read in self._reads])
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        made = self._kept[key] = self._make(env)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return made


def _value(env: Environment, read: Read) -> Any:
    root, name, key = read
    values = env.get(root)
    value = None if values is None else values.get(name)
    if key is not None and value is not None:
        value = value.get(key)
    return _told_apart(value)


def _told_apart(value: Any) -> Any:
    """The value such that what expressions tell apart is unequal: 1, 1.0 and True, 0.0 and -0.0."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, tuple):
        return tuple(map(_told_apart, value))
    if isinstance(value, str):
        return value
    return (type(value), value) if value else (type(value), str(value))
