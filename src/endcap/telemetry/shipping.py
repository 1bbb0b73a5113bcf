"""Log records on their way elsewhere: only our own, and of each only what the log would say."""

import logging
from typing import Any, NamedTuple

from endcap.core.failures import chain, kind_of, own_words, short

from .ecs import FIELDS, fields_of, stack
from .outlet import Outlet

MAX_FRAMES = 50
SENDERS = ("boto3", "botocore", "urllib3", "s3transfer")


class Line(NamedTuple):
    """What is sent of a record; `failure` holds kinds, places and our own words, no values."""

    at: int
    level: int
    logger: str
    message: str
    attributes: dict[str, str | int | float]
    failure: "tuple[Failure, ...]"
    trace: str


class Failure(NamedTuple):
    """An error or one of its causes; frames are (file, line, function), the innermost last."""

    kind: str
    words: str
    frames: tuple[tuple[str, int, str], ...]


class ShippingHandler(logging.Handler):
    """Gives records of this program to an outlet; libraries' own are none of its business."""

    def __init__(self, outlet: Outlet[Line], level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._outlet = outlet

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record or let the outlet count it as dropped; never waits, never raises."""
        if record.name == "endcap" or record.name.startswith("endcap."):
            self._outlet.put(line_of(record))


class FormattingHandler(logging.Handler):
    """Gives (milliseconds, formatted line) of every record to an outlet.

    What a library logs while it sends lines would come back for ever; such records are left out.
    """

    def __init__(self, outlet: Outlet[tuple[int, str]], formatter: logging.Formatter) -> None:
        super().__init__()
        self._outlet = outlet
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line or let the outlet count it as dropped; never waits."""
        if record.name.partition(".")[0] not in SENDERS:
            self._outlet.put((int(record.created * 1_000), self.format(record)))


def line_of(record: logging.LogRecord) -> Line:
    """What may leave of a record."""
    return Line(
        at=int(record.created * 1_000_000_000),
        level=record.levelno,
        logger=record.name,
        message=str(fields_of(record)["message"]),
        attributes=attributes_of(record),
        failure=_failure(record),
        trace=str(getattr(record, "trace_id", "") or ""),
    )


def attributes_of(record: logging.LogRecord) -> dict[str, Any]:
    """The record's named fields."""
    found = {field: getattr(record, name, None) for name, field in FIELDS.items()}
    return {k: v for k, v in found.items() if isinstance(v, str | int | float) and v != ""}


def _failure(record: logging.LogRecord) -> tuple[Failure, ...]:
    error = getattr(record, "failure", None)
    if not isinstance(error, BaseException):
        error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ()
    return tuple(
        Failure(
            kind_of(one),
            own_words(one),
            tuple((short(f.filename), f.lineno or 0, f.name) for f in stack(one))[-MAX_FRAMES:],
        )
        for one in chain(error)
    )
