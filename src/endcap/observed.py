"""Putting together what operators see: logs, metrics, and what is sent to other systems."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from endcap.core.errors import ConfigurationError
from endcap.core.times import SECOND, Clock
from endcap.services.builds import BuildService
from endcap.services.collect import Collector
from endcap.services.live import LiveState
from endcap.services.served import ServedLog
from endcap.services.slate_cache import SlateCache
from endcap.settings import Settings
from endcap.telemetry.cloudwatch import CloudWatch
from endcap.telemetry.ecs import EcsFormatter
from endcap.telemetry.logs import Logs
from endcap.telemetry.metrics import Metrics, Readings
from endcap.telemetry.otlp import Otlp
from endcap.telemetry.outlet import Bounds, Outlet
from endcap.telemetry.sentry import Sentry
from endcap.telemetry.shipping import FormattingHandler, ShippingHandler
from endcap.telemetry.tracer import Tracer

# CloudWatch takes a megabyte at once.
CLOUDWATCH = Bounds(batch=50)
SENTRY = Bounds(waiting=200, batch=10)


class Telemetry:
    """The process's logs, and the outlets that the settings ask for; none by default.

    Raises ConfigurationError when one of them lacks its extra or has a bad address.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.outlets: list[Outlet[Any]] = []
        self.tracer: Tracer | None = None
        handlers: list[logging.Handler] = []
        if settings.otel_endpoint:
            otlp = Otlp(settings.otel_endpoint, headers_of(settings), _resource(settings))
            spans = self._outlet("otel-traces", otlp.send_spans)
            lines = self._outlet("otel-logs", otlp.send_lines)
            self.tracer = Tracer(spans.put, settings.otel_share, clock, secrets.token_bytes)
            handlers.append(ShippingHandler(lines))
        if settings.sentry_dsn:
            release, dsn = f"endcap@{version('endcap')}", settings.sentry_dsn
            sentry = Sentry(dsn, release, settings.environment, settings.role)
            errors = self._outlet("sentry", sentry.send, SENTRY)
            handlers.append(ShippingHandler(errors, logging.ERROR))
        if settings.cloudwatch_group:
            stream = f"{socket.gethostname()}/{settings.role}/{os.getpid()}"
            cloud = CloudWatch(settings.cloudwatch_group, stream)
            formatter = EcsFormatter(role=settings.role)
            written = self._outlet("cloudwatch", cloud.send, CLOUDWATCH)
            handlers.append(FormattingHandler(written, formatter))
        self.logs = Logs(settings.log_level, settings.log_format, settings.role, others=handlers)

    def _outlet(self, name: str, send: Callable[[Any], None], bounds: Bounds | None = None) -> Any:
        outlet: Outlet[Any] = Outlet(name, send, bounds)
        self.outlets.append(outlet)
        return outlet

    @contextmanager
    def running(self) -> Iterator[None]:
        """Logs are written and sent until the block ends."""
        self.logs.start()
        for outlet in self.outlets:
            outlet.start()
        try:
            yield
        finally:
            for outlet in self.outlets:
                outlet.end()
            for outlet in self.outlets:
                outlet.stop()
            self.logs.stop()

    def counts(self) -> dict[tuple[str, str], int]:
        """What became of what was to be sent, by destination and fate."""
        log = {("log", "dropped"): self.logs.handler.dropped}
        sent = {(one.name, "sent"): one.sent for one in self.outlets}
        return log | sent | {(one.name, "dropped"): one.dropped for one in self.outlets}


def headers_of(settings: Settings) -> dict[str, str]:
    """`otel_headers` as a mapping. Raises ConfigurationError."""
    found = {}
    for part in filter(None, (one.strip() for one in settings.otel_headers.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not (name + value).isprintable():
            raise ConfigurationError("otel_headers: must be like name=value,name=value")
        found[name.strip().lower()] = value.strip()
    return found


def _resource(settings: Settings) -> dict[str, str]:
    named = {
        "service.name": "endcap",
        "service.version": version("endcap"),
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        "endcap.role": settings.role,
        "deployment.environment.name": settings.environment,
    }
    return {key: value for key, value in named.items() if value}


def metrics_of(  # noqa: PLR0913, PLR0917 - the parts that are read
    settings: Settings,
    live: LiveState,
    builds: BuildService,
    served: ServedLog,
    collector: Collector,
    clock: Clock,
    slates: SlateCache | None,
) -> Metrics:
    """The metrics of an installation; gauges are read when somebody asks."""
    readings = _readings(settings.shop, live, builds, served, clock)
    return Metrics(readings, collector.verdicts, slates.found if slates is not None else {})


def _readings(
    shop: str, live: LiveState, builds: BuildService, served: ServedLog, clock: Clock
) -> Readings:
    def read() -> dict[str, float]:
        state = live.state(shop)
        snapshot = state.joined.snapshot
        age = (clock() - snapshot.manifest.built_at) / SECOND if snapshot else -1.0
        return {
            "products": state.columns.live,
            "snapshot_age_seconds": age,
            "snapshot_refused": float(live.refused is not None),
            "served_dropped": served.dropped,
            "build_failed": float(builds.status(shop).state == "failed"),
            "tail_seq": state.tail.seq,
        }

    return read
