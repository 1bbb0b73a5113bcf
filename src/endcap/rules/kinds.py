"""Kinds of values, written as text: bool, int, double, string, null, dyn, list(…)."""

Kind = str

BOOL, INT, DOUBLE, STRING, NULL, DYN = "bool", "int", "double", "string", "null", "dyn"
STRINGS = "list(string)"
NUMBERS = frozenset({INT, DOUBLE})
ORDERED = frozenset({BOOL, STRING})


def list_of(item: Kind) -> Kind:
    """The kind of a list of such items."""
    return f"list({item})"


def is_list(kind: Kind) -> bool:
    """Whether values of this kind are lists."""
    return kind.startswith("list(")


def item_of(kind: Kind) -> Kind:
    """The kind of a list's items."""
    return kind[5:-1]


def agree(left: Kind, right: Kind) -> bool:
    """Whether values of the two kinds can be compared: equal kinds, numbers, or one is dyn."""
    if left == right or DYN in (left, right) or {left, right} <= NUMBERS:
        return True
    if is_list(left) and is_list(right):
        return agree(item_of(left), item_of(right))
    return False


def shared(kinds: list[Kind]) -> Kind:
    """The one kind of all these values, or dyn."""
    return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else DYN
