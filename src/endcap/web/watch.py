"""Watching requests: counts, times, and a log line for what took long or went wrong."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from endcap.telemetry.metrics import Metrics
from endcap.telemetry.tracer import Tracer

LOG = logging.getLogger("endcap.requests")
OTHER = "other"


class Watched:
    """ASGI middleware around everything. `log` says which requests get a line.

    `all`, `none`, or `slow`: those that failed on our side or took longer than `slow_seconds`. A
    line names the operation, never the address, which may hold ids.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        log: str = "slow",
        tracer: Tracer | None = None,
        slow_seconds: float = 1.0,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log
        self._tracer = tracer
        self._slow = slow_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter_ns()
        status = 500
        state = scope.setdefault("state", {})
        trace = self._tracer.begin(scope["headers"]) if self._tracer else None
        if trace:
            state["trace_id"] = trace.trace.hex()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.begun()
        try:
            await self._app(scope, receive, watched)
        finally:
            took = time.perf_counter_ns() - began
            operation = state.get("operation", OTHER)
            self._metrics.answered(operation, status, took / 1e9)
            if trace and self._tracer:
                about = (operation, scope["method"], status, state.get("request_id", ""))
                self._tracer.end(trace, about, took)
            if self._says(status, took):
                self._write(scope, operation, status, took)

    def _says(self, status: int, took: int) -> bool:
        if self._log == "slow":
            return status >= 500 or took > self._slow * 1e9
        return self._log == "all"

    def _write(self, scope: Scope, operation: str, status: int, took: int) -> None:
        level = logging.ERROR if status >= 500 else logging.INFO
        LOG.log(
            level,
            "%s answered %d in %.1f ms",
            operation,
            status,
            took / 1e6,
            extra={
                "request_id": scope["state"].get("request_id", ""),
                "trace_id": scope["state"].get("trace_id", ""),
                "operation": operation,
                "method": scope["method"],
                "status": status,
                "duration_ns": took,
            },
        )
