"""The one error of the expression language: what is wrong, where, and what was likely meant."""

import difflib
from collections.abc import Iterable

from endcap.core.errors import FieldProblem


class ExpressionError(ValueError):
    """The expression cannot be used. `at` is the character it is about, from 0."""

    def __init__(self, message: str, at: int, suggestion: str = "", code: str = "invalid") -> None:
        self.message = message
        self.at = at
        self.suggestion = suggestion
        self.code = f"expression_{code}"
        hint = f"; {suggestion}" if suggestion else ""
        super().__init__(f"at character {at + 1}: {message}{hint}")

    def problem(self, pointer: str) -> FieldProblem:
        """The error as a problem of the field that holds the expression."""
        return FieldProblem(pointer, self.code, str(self))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean …?` for the nearest known name, or all of them when there are few."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1, 0.5)
    if near:
        return f"did you mean `{near[0]}`?"
    if len(names) <= 12:
        return f"there is {', '.join(names)}"
    return ""
