"""The checked expression: names looked up, overloads chosen, kinds known."""

from typing import TYPE_CHECKING

import msgspec

from .kinds import Kind
from .syntax import Scalar

if TYPE_CHECKING:
    from .operators import Operator


class Typed(msgspec.Struct, frozen=True, eq=False):
    """Any node. `product` says whether its value differs from product to product."""

    at: int
    kind: Kind
    product: bool


class Constant(Typed, frozen=True, eq=False):
    """A value written out; a list is a tuple."""

    value: Scalar | tuple[object, ...]


class FieldRef(Typed, frozen=True, eq=False):
    """A field, e.g. root `product`, name `attributes`, key `colour`."""

    root: str
    name: str
    key: str | None = None


class Apply(Typed, frozen=True, eq=False):
    """An operator or function on its operands."""

    operator: "Operator"
    args: tuple[Typed, ...]


class Items(Typed, frozen=True, eq=False):
    """A list some of whose items are not written out."""

    items: tuple[Typed, ...]


def walk(node: Typed) -> list[Typed]:
    """The node and everything below it."""
    found: list[Typed] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        found.append(one)
        if isinstance(one, Apply):
            waiting += one.args
        elif isinstance(one, Items):
            waiting += one.items
    return found


def fixed(node: Typed) -> bool:
    """Whether the value depends on nothing but the expression."""
    return not any(isinstance(one, FieldRef) for one in walk(node))
