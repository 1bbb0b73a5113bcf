"""Log records as JSON lines with the field names of the Elastic Common Schema (ECS 8.11).

Only fields named here are written: a record's `extra` cannot bring in anything else, so no visitor
id, address or body gets into a log by accident. Of an exception a line holds the kind, the files
and lines, and the text only when it is our own: a driver's text may quote what it was given.
"""

import logging
import traceback
from typing import Any

import msgspec

from endcap.core.failures import described, kind_of, own_words
from endcap.core.times import format_time

VERSION = "8.11.0"
# What a record may carry in `extra`, and the ECS field it becomes.
FIELDS = {
    "request_id": "http.request.id",
    "trace_id": "trace.id",
    "operation": "event.action",
    "method": "http.request.method",
    "status": "http.response.status_code",
    "duration_ns": "event.duration",
    "shop": "organization.id",
    "snapshot": "labels.snapshot",
    "count": "labels.count",
    "role": "service.type",
}
MAX_TEXT = 4_000
_ENCODER = msgspec.json.Encoder()


class EcsFormatter(logging.Formatter):
    """One JSON object per record; whatever is in a message, it stays one line."""

    def __init__(self, service: str = "endcap", role: str = "all") -> None:
        super().__init__()
        self._service = {"service.name": service, "service.type": role}

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        return _ENCODER.encode(self._service | fields_of(record)).decode("utf-8", "replace")


class TextFormatter(logging.Formatter):
    """Lines for people; of an exception they hold what the JSON lines hold."""

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Kinds and places, no texts."""
        words = own_words(ei[1])
        return described(ei[1]) + (f"\n  {words}" if words else "")


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The record as ECS fields."""
    fields: dict[str, Any] = {
        "@timestamp": format_time(int(record.created * 1_000)),
        "log.level": record.levelname.lower(),
        "message": record.getMessage()[:MAX_TEXT],
        "ecs.version": VERSION,
        "log.logger": record.name,
    }
    for name, field in FIELDS.items():
        value = getattr(record, name, None)
        if isinstance(value, str | int | float) and value != "":
            fields[field] = value
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        fields["error.type"] = kind_of(error)
        if words := own_words(error):
            fields["error.message"] = words[:MAX_TEXT]
        fields["error.stack_trace"] = described(error)[-MAX_TEXT:]
    return fields


def stack(error: BaseException) -> traceback.StackSummary:
    """The frames of an error, the innermost last; none of their values."""
    return traceback.extract_tb(error.__traceback__)
