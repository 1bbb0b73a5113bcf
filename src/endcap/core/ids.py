"""Ids of products, visitors, sessions and events: exact, 1 to 200 printable characters."""

from .errors import FieldProblem

MAX_ID_LENGTH = 200
DEFAULT_SHOP = "default"


def id_problem(value: str, pointer: str) -> FieldProblem | None:
    """Say what is wrong with an id, or None.

    Ids are compared byte by byte and never folded: `abc` and `ABC`, `a` and `a ` are different
    things. Control characters (NUL among them) and lone surrogates are refused because not every
    store can keep them.
    """
    if not value:
        return FieldProblem(pointer, "id_empty", "must not be empty")
    if len(value) > MAX_ID_LENGTH:
        return FieldProblem(
            pointer, "id_too_long", f"has {len(value)} characters, at most {MAX_ID_LENGTH}"
        )
    if not value.isprintable():
        return FieldProblem(
            pointer, "id_not_printable", "has a control or other unprintable character"
        )
    return None
