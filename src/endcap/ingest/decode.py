"""From a request body to event elements, each decoded or with what is wrong with it."""

from typing import Any, NamedTuple

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput, MalformedBody
from endcap.core.event import MAX_BATCH, EventIn
from endcap.core.pointers import problem_of


class Strict(EventIn, forbid_unknown_fields=True):
    """An event with no field that we do not know."""


class StrictBatch(msgspec.Struct, forbid_unknown_fields=True):
    """The usual body; decoded in one go when all of it is well formed."""

    events: list[Strict]
    sent_at: str | None = None


class RawBatch(msgspec.Struct):
    """The same body, elements left as they came; without `events` it is one bare event."""

    events: list[msgspec.Raw] | None = None
    sent_at: str | None = None


class Element(NamedTuple):
    """One element: the event or its problems; `raw` is kept only for what may be refused."""

    event: EventIn | None
    raw: bytes
    problems: tuple[FieldProblem, ...] = ()
    warnings: tuple[str, ...] = ()


class Batch(NamedTuple):
    """The elements of a body in their order, and the sender's clock when it was sent."""

    elements: list[Element]
    sent_at: str | None


_STRICT_BATCH = msgspec.json.Decoder(StrictBatch)
_RAW_BATCH = msgspec.json.Decoder(RawBatch)
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_STRICT = msgspec.json.Decoder(Strict)
_LENIENT = msgspec.json.Decoder(EventIn)
_ANY = msgspec.json.Decoder()


def decode_batch(body: bytes) -> Batch:
    """Read `{"events": […]}`, a JSON array of events, or one event.

    Raises MalformedBody when the body is not JSON, InvalidInput when it is not a batch or holds
    more than 2,500 events. A name that occurs twice in an object counts with its last value.
    """
    try:
        return _decoded(body)
    except msgspec.ValidationError as error:
        raise InvalidInput("the batch cannot be read", [problem_of(error)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(f"the body is not valid JSON: {error}") from error
    except RecursionError as error:
        raise MalformedBody("the body is nested too deeply") from error


def visitors_in(body: bytes) -> set[str]:
    """The visitors that a body names, whatever else is wrong with it. Raises as `decode_batch`."""
    return {e.event.visitor for e in decode_batch(body).elements if e.event is not None}


def _decoded(body: bytes) -> Batch:
    start = body.lstrip()[:1]
    if start == b"{" and b'"events"' in body:
        try:
            batch = _STRICT_BATCH.decode(body)
        except (msgspec.ValidationError, UnicodeDecodeError, RecursionError):
            raws = _RAW_BATCH.decode(body)
            if raws.events is None:
                return Batch([_element(body)], None)
            return Batch(_checked([_element(raw) for raw in raws.events]), raws.sent_at)
        return Batch(_checked([Element(event, b"") for event in batch.events]), batch.sent_at)
    if start == b"[":
        return Batch(_checked([_element(raw) for raw in _RAW_LIST.decode(body)]), None)
    _ANY.decode(body)  # what is no JSON at all is told apart from a bad event
    return Batch([_element(body)], None)


def _checked(elements: list[Element]) -> list[Element]:
    if not 1 <= len(elements) <= MAX_BATCH:
        message = f"has {len(elements)} events, must be 1 to {MAX_BATCH}"
        raise InvalidInput(message, [FieldProblem("/events", "out_of_range", message)])
    return elements


def _element(raw: msgspec.Raw | bytes) -> Element:
    content = bytes(raw)
    try:
        return Element(_STRICT.decode(content), content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = _problem(error)
        if problem.code != "unknown_field":
            return Element(None, content, (problem,))
    return _lenient(content)


def _lenient(content: bytes) -> Element:
    """An event with fields we do not know: taken, and they are named in a warning."""
    try:
        event = _LENIENT.decode(content)
        fields: Any = _ANY.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Element(None, content, (_problem(error),))
    unknown = sorted(set(fields) - set(EventIn.__struct_fields__))[:10]
    shown = ", ".join(name[:100] for name in unknown)
    return Element(event, content, (), (f"unknown fields left out: {shown}",))


def _problem(error: Exception) -> FieldProblem:
    if isinstance(error, msgspec.ValidationError):
        return problem_of(error)
    if isinstance(error, RecursionError):
        return FieldProblem("", "nested_too_deeply", "is nested too deeply")
    return FieldProblem("", "malformed", f"is not valid JSON: {error}")
