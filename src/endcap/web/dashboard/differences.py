"""What changed between two values: their JSON line by line."""

import difflib
from collections.abc import Iterator
from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One line; `kind` is `same`, `gone` or `new`."""

    kind: str
    text: str


def pretty(value: Any) -> str:
    """The value as JSON for people, entries of lists a line each."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def differences(before: Any, after: Any) -> list[Line]:
    """The lines of both, with two lines of context around each change; empty when equal."""
    return list(_lines(pretty(before).splitlines(), pretty(after).splitlines()))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    kinds = {"+": "new", "-": "gone", " ": "same"}
    for number, text in enumerate(difflib.unified_diff(before, after, n=2, lineterm="")):
        if number < 2:  # the two lines that name files
            continue
        yield Line("same", "…") if text[0] == "@" else Line(kinds[text[0]], text[1:])
