"""The parsed expression, before names are looked up. `at` is the character a node begins at."""

import msgspec

Scalar = bool | int | float | str | None


class Node(msgspec.Struct, frozen=True):
    """Any node."""

    at: int


class Literal(Node, frozen=True):
    """A value written out."""

    value: Scalar


class ListOf(Node, frozen=True):
    """`[a, b]`."""

    items: tuple[Node, ...]


class Name(Node, frozen=True):
    """A bare name."""

    name: str


class Select(Node, frozen=True):
    """`target.field`."""

    target: Node
    field: str


class Index(Node, frozen=True):
    """`target[key]`."""

    target: Node
    key: Node


class Call(Node, frozen=True):
    """`function(args)`, or `target.function(args)`."""

    function: str
    target: Node | None
    args: tuple[Node, ...]


class Operation(Node, frozen=True):
    """An operator with its operands; `&&` and `||` take any number of them."""

    symbol: str
    args: tuple[Node, ...]
