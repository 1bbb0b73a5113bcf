"""Text and number literals of CEL (langdef, section "Lexical elements")."""

from .errors import ExpressionError

MAX_INT = 2**63 - 1
_PLAIN = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "?": "?",
    '"': '"',
    "'": "'",
    "`": "`",
}
_HEX = {"x": 2, "X": 2, "u": 4, "U": 8}


def text_value(token: str, at: int) -> str:
    """The text a string literal stands for. `at` is where the literal begins."""
    raw = token[0] in "rR"
    body = token[1:] if raw else token
    quotes = 3 if body[:3] in ('"""', "'''") and len(body) >= 6 else 1
    start = at + int(raw) + quotes
    inside = body[quotes:-quotes]
    return inside if raw or "\\" not in inside else _unescaped(inside, start)


def int_value(digits: str, at: int) -> int:
    """A whole number, decimal or hexadecimal; the sign is not part of it.

    2**63 itself is let through here: with a minus before it, it is the smallest int.
    """
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
    if value > MAX_INT + 1:
        raise ExpressionError("this whole number has more than 64 bits", at, code="number")
    return value


def _unescaped(text: str, start: int) -> str:
    parts: list[str] = []
    place = 0
    while place < len(text):
        if text[place] != "\\":
            parts.append(text[place])
            place += 1
            continue
        value, length = _escape(text, place, start)
        parts.append(value)
        place += length
    return "".join(parts)


def _escape(text: str, place: int, start: int) -> tuple[str, int]:
    mark = text[place + 1 : place + 2]
    if mark in _PLAIN and mark:
        return _PLAIN[mark], 2
    width, base, skip = (_HEX[mark], 16, 2) if mark in _HEX else (3, 8, 1)
    digits = text[place + skip : place + skip + width]
    allowed = "0123456789abcdefABCDEF" if base == 16 else "01234567"
    if len(digits) == width and all(digit in allowed for digit in digits):
        code = int(digits, base)
        if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF and (base == 16 or code <= 0o377):
            return chr(code), skip + width
    raise ExpressionError(
        f"`{text[place : place + 2]}` begins no escape that CEL knows",
        start + place,
        "write `\\\\` for a backslash",
        "escape",
    )
