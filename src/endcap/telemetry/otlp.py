"""Spans and log records as OTLP over HTTP, for any OpenTelemetry collector.

The messages are those of `opentelemetry-proto`; the extra `endcap[otel]` brings it. Encoding and
sending happen in the outlets' threads.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from endcap.core.errors import ConfigurationError

from .posting import post
from .shipping import Line
from .tracer import Span

SERVER = 2  # SPAN_KIND_SERVER
FAILED = 2  # STATUS_CODE_ERROR
SCOPE = "endcap"
# Severity numbers of the OpenTelemetry log data model.
SEVERITY = {logging.DEBUG: 5, logging.INFO: 9, logging.WARNING: 13, logging.ERROR: 17}


class Otlp:
    """An OTLP/HTTP endpoint. Raises ConfigurationError when the extra is not installed."""

    def __init__(
        self, endpoint: str, headers: Mapping[str, str], resource: Mapping[str, str]
    ) -> None:
        try:
            from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
            from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
            from opentelemetry.proto.common.v1 import common_pb2
            from opentelemetry.proto.resource.v1 import resource_pb2
        except ImportError as error:
            raise ConfigurationError(
                "otel_endpoint: needs the extra: pip install 'endcap[otel]'"
            ) from error
        self._spans: Callable[[], Any] = trace_service_pb2.ExportTraceServiceRequest
        self._lines: Callable[[], Any] = logs_service_pb2.ExportLogsServiceRequest
        self._value = common_pb2.KeyValue
        self._resource = resource_pb2.Resource(attributes=self._attributes(resource))
        sending = {**headers, "content-type": "application/x-protobuf"}
        base = endpoint.rstrip("/")
        self._post_spans = partial(post, f"{base}/v1/traces", headers=sending)
        self._post_lines = partial(post, f"{base}/v1/logs", headers=sending)

    def send_spans(self, spans: Sequence[Span]) -> None:
        """Export them. Raises OSError."""
        request = self._spans()
        group = request.resource_spans.add(resource=self._resource).scope_spans.add()
        group.scope.name = SCOPE
        for one in spans:
            made = group.spans.add(
                trace_id=one.trace.trace,
                span_id=one.trace.span,
                parent_span_id=one.trace.parent,
                name=one.operation,
                kind=SERVER,
                start_time_unix_nano=one.began,
                end_time_unix_nano=one.ended,
                attributes=self._attributes(_attributes_of(one)),
            )
            if one.status >= 500:
                made.status.code = FAILED
        self._post_spans(request.SerializeToString())

    def send_lines(self, lines: Sequence[Line]) -> None:
        """Export them. Raises OSError."""
        request = self._lines()
        group = request.resource_logs.add(resource=self._resource).scope_logs.add()
        group.scope.name = SCOPE
        for one in lines:
            made = group.log_records.add(
                time_unix_nano=one.at,
                observed_time_unix_nano=one.at,
                severity_number=SEVERITY.get(one.level, 21 if one.level > 40 else 9),
                severity_text=logging.getLevelName(one.level),
                trace_id=bytes.fromhex(one.trace),
                attributes=self._attributes(_about_line(one)),
            )
            made.body.string_value = one.message
        self._post_lines(request.SerializeToString())

    def _attributes(self, values: Mapping[str, str | int | float]) -> list[Any]:
        made = []
        for key, value in values.items():
            one = self._value(key=key)
            if isinstance(value, str):
                one.value.string_value = value
            elif isinstance(value, int):
                one.value.int_value = value
            else:
                one.value.double_value = value
            made.append(one)
        return made


def _attributes_of(span: Span) -> dict[str, str | int]:
    return {
        "http.request.method": span.method,
        "http.response.status_code": span.status,
        "endcap.operation": span.operation,
        "http.request.id": span.request_id,
    }


def _about_line(line: Line) -> dict[str, str | int | float]:
    found: dict[str, str | int | float] = {"log.logger": line.logger, **line.attributes}
    if line.failure:
        first = line.failure[0]
        found["exception.type"] = first.kind
        found["exception.stacktrace"] = "\n".join(f"{f}:{n} in {w}" for f, n, w in first.frames)
        if first.words:
            found["exception.message"] = first.words
    return found
