"""The catalogue as it was some changes ago, for answering again what was answered then.

Before a live change, the values of its row in every array are kept, up to a bound. A past state is
a copy of the columns with the later changes taken back.
"""

import copy
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .columns import Columns

Place = tuple[str | int, ...]


class Undo:
    """The last `limit` changes of one shop's columns."""

    def __init__(self, columns: Columns, limit: int = 20_000) -> None:
        self._columns = columns
        self._limit = limit
        self._kept: deque[tuple[int, int, list[tuple[Place, Any]]]] = deque()
        self._reach = columns.change

    def before(self, products: Iterable[str], change: int) -> None:
        """Keep the rows of products that are about to change; `change` is the first of them."""
        columns = self._columns
        if not self._kept and self._reach < columns.change:
            self._reach = columns.change
        for product in products:
            row = columns.row(product)
            values = [] if row is None else _values(columns, row)
            place = len(columns) if row is None else row
            self._kept.append((change, place, values))
        while len(self._kept) > self._limit:
            self._reach = self._kept.popleft()[0]

    def at(self, change: int) -> Columns | None:
        """The columns as they were after `change`; None when that is too long ago to know."""
        if change == self._columns.change:
            return self._columns
        if change < self._reach:
            return None
        past: Columns = _copied(self._columns)
        back: set[int] = set()
        for when, row, values in reversed(self._kept):
            if when <= change:
                break
            if values:
                for place, value in values:
                    _put(_container(past, place), row, value)
                back.add(row)
            elif row < len(past):
                # The product came after: its row is empty, as if it had been deleted.
                past.alive[row] = past.sellable[row] = False
        for row in back:
            if past.body(row):
                past.attributes.forget(row)
                past.fill_parts(row, past.product(row))
        past.change = change
        return past


def _values(columns: Columns, row: int) -> list[tuple[Place, Any]]:
    return [
        (place, copy.copy(container[row]))
        for place, container in _containers(columns, len(columns.alive), ())
        if row < len(container)
    ]


def _containers(owner: Any, size: int, above: Place) -> Iterator[tuple[Place, Any]]:
    """Every array over rows, and the list of bodies, with the way to it."""
    fields = owner if isinstance(owner, dict) else vars(owner)
    for name, value in fields.items():
        place = (*above, name)
        by_row = isinstance(value, np.ndarray) and value.ndim and len(value) == size
        if by_row or name == "bodies":
            yield place, value
        elif _is_part(value):
            yield from _containers(value, size, place)


def _put(container: Any, row: int, value: Any) -> None:
    if isinstance(value, np.ndarray):
        # The array may have become wider since; what is beyond the old width was nothing.
        container[row] = 0
        container[row, : len(value)] = value
    else:
        container[row] = value


def _container(owner: Any, place: Place) -> Any:
    for step in place:
        owner = owner[step] if isinstance(owner, dict) else getattr(owner, str(step))
    return owner


def _is_part(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_part(v) or isinstance(v, np.ndarray) for v in value.values())
    module = type(value).__module__
    return module.startswith("endcap.catalog.") and hasattr(value, "__dict__")


def _copied(owner: Any) -> Any:
    if isinstance(owner, dict):
        return {name: _copied_value(value) for name, value in owner.items()}
    made = copy.copy(owner)
    for name, value in vars(owner).items():
        setattr(made, name, _copied_value(value))
    return made


def _copied_value(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | set):
        return value.copy()
    if isinstance(value, dict):
        return _copied(value)
    return _copied(value) if _is_part(value) else value
