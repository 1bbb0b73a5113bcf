"""From text to tokens."""

import re
from typing import NamedTuple

from .errors import ExpressionError

MAX_LENGTH = 4_096
MAX_TOKENS = 4_000


class Token(NamedTuple):
    """A piece of the text: `kind` is ident, int, double, string, op or end."""

    kind: str
    text: str
    at: int


_STRING = r"""[rR]?(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^'\\\n\r]|\\.)*'|"(?:[^"\\\n\r]|\\.)*")"""  # noqa: E501
_RAW = r"""[rR](?:'''(?:.)*?'''|\"\"\"(?:.)*?\"\"\"|'[^'\n\r]*'|"[^"\n\r]*")"""
_TOKEN = re.compile(
    rf"""(?P<space>(?:[ \t\n\r\f]+|//[^\n]*)+)
    |(?P<bytes>(?:[bB][rR]?|[rR][bB])['"])
    |(?P<string>{_RAW}|{_STRING})
    |(?P<double>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
    |(?P<int>0[xX][0-9a-fA-F]+|[0-9]+)
    |(?P<ident>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<op>&&|\|\||<=|>=|==|!=|[-+*/%<>!?:.,()\[\]])""",
    re.DOTALL | re.VERBOSE,
)
_INSTEAD = {
    "=": ("`=` is no operator", "write `==` to compare"),
    "&": ("`&` is no operator", "write `&&` for and"),
    "|": ("`|` is no operator", "write `||` for or"),
    "{": ("maps and messages are not part of this language", ""),
    "}": ("maps and messages are not part of this language", ""),
    "'": ("this text does not end", "close it with `'`"),
    '"': ("this text does not end", 'close it with `"`'),
    "`": ("quoted field names are not part of this language", 'write `attributes["name"]`'),
}


def tokenize(text: str) -> list[Token]:
    """The tokens, with an `end` token last. Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(text):,} characters, at most {MAX_LENGTH:,} are taken",
            MAX_LENGTH,
            code="too_long",
        )
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _unknown(text, place)
        kind = found.lastgroup or ""
        if kind == "bytes":
            raise ExpressionError(
                "bytes literals are not part of this language", place, "leave out the `b`", "bytes"
            )
        if kind != "space":
            tokens.append(Token(kind, found.group(), place))
        place = found.end()
        if kind in ("int", "double") and text[place : place + 1] in ("u", "U"):
            raise ExpressionError(
                "unsigned numbers are not part of this language", place, "leave out the `u`", "uint"
            )
    tokens.append(Token("end", "", len(text)))
    return tokens


def _unknown(text: str, place: int) -> ExpressionError:
    letter = text[place]
    message, suggestion = _INSTEAD.get(letter, (f"`{letter}` is not expected here", ""))
    return ExpressionError(message, place, suggestion, "syntax")
