"""Log records as JSON lines with the field names of the Elastic Common Schema (ECS 8.11).

Only fields named here are written: a record's `extra` cannot bring in anything else, so no visitor
id, address or body gets into a log by accident. Stack traces hold files and lines, never values.
"""

import logging
import traceback
from types import TracebackType
from typing import Any

import msgspec

from endcap.core.times import format_time

VERSION = "8.11.0"
# What a record may carry in `extra`, and the ECS field it becomes.
FIELDS = {
    "request_id": "http.request.id",
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
        fields: dict[str, Any] = {
            "@timestamp": format_time(int(record.created * 1_000)),
            "log.level": record.levelname.lower(),
            "message": record.getMessage()[:MAX_TEXT],
            "ecs.version": VERSION,
            **self._service,
            "log.logger": record.name,
        }
        for name, field in FIELDS.items():
            value = getattr(record, name, None)
            if isinstance(value, str | int | float):
                fields[field] = value
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            fields["error.type"] = f"{kind.__module__}.{kind.__qualname__}"
            fields["error.message"] = str(error)[:MAX_TEXT]
            fields["error.stack_trace"] = _stack(trace)
        return _ENCODER.encode(fields).decode("utf-8", "replace")


def _stack(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return "\n".join(f"{f.filename}:{f.lineno} in {f.name}" for f in frames)[-MAX_TEXT:]
