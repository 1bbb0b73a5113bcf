"""From a msgspec error to the JSON pointer of the field it is about, and to what is answered."""

import re

import msgspec

from .errors import EndcapError, FieldProblem, InvalidInput, MalformedBody

_PATH = re.compile(r"^(?P<message>.*) - at `(?:key in )?\$(?P<path>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_CODES = (
    ("missing required field", "missing"),
    ("unknown field", "unknown_field"),
    ("Invalid enum value", "not_allowed"),
    ("Expected", "wrong_type"),
    ("Invalid", "invalid"),
)


def problem_of(error: msgspec.ValidationError, base: str = "") -> FieldProblem:
    """The field, a code and a sentence; `base` is the pointer of what was decoded."""
    text = str(error)
    match = _PATH.match(text)
    message = match["message"] if match else text
    pointer = base
    for name, index in _STEP.findall(match["path"] if match else ""):
        pointer += f"/{escaped(name or index)}"
    named = re.search(r"field `([^`]*)`", message)
    if named:
        pointer += f"/{escaped(named[1])}"
    code = next((code for hint, code in _CODES if hint in message), "invalid")
    return FieldProblem(pointer, code, message)


def escaped(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def refusal(error: Exception, body: bytes, what: str) -> EndcapError:
    """The answer to a body that msgspec did not decode; `what` says what it should have been.

    A body that is no JSON at all is told apart from one with a wrong field before the broken place.
    """
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        if isinstance(error, msgspec.ValidationError):
            return InvalidInput(what, [problem_of(error)])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        error = broken
    if isinstance(error, RecursionError):
        return MalformedBody("the body is nested too deeply")
    return MalformedBody(f"the body is not valid JSON: {error}")
