"""Metrics for Prometheus, in a registry of our own; labels take few and fixed values."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
Readings = Callable[[], dict[str, float]]
"""Values to read when somebody asks, by name."""

GAUGES = {
    "products": "Products in the catalogue.",
    "snapshot_age_seconds": "Seconds since the snapshot in use was built; -1 without one.",
    "snapshot_refused": "1 while the newest snapshot is refused.",
    "served_dropped": "Served slates that were not logged because too many waited.",
    "build_failed": "1 after a build that failed.",
    "tail_seq": "Place in the log that the live counters have reached.",
}


class Metrics:
    """Counts of this process. `operation` is an operation's id or `other`, `status` its class.

    `slates` counts where slates came from: `made`, or given again from `memory` or `shared`.
    """

    def __init__(
        self, readings: Readings, verdicts: Mapping[str, int], slates: Mapping[str, int]
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "endcap_http_requests",
            "Requests answered.",
            ("operation", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "endcap_http_request_seconds",
            "Seconds from the request to the end of its answer.",
            ("operation",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._busy = Gauge(
            "endcap_http_requests_in_progress", "Requests under way.", registry=self.registry
        )
        self.registry.register(_Read(readings, verdicts, slates))

    def begun(self) -> None:
        """A request has come in."""
        self._busy.inc()

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        self._busy.dec()
        key = (operation, status // 100)
        children = self._children.get(key)
        if children is None:
            # To look them up by their labels takes longer than to count.
            counter = self._requests.labels(operation, f"{status // 100}xx")
            children = self._children[key] = (counter, self._seconds.labels(operation))
        counter, histogram = children
        counter.inc()
        histogram.observe(seconds)

    def count_telemetry(self, counts: Callable[[], dict[tuple[str, str], int]]) -> None:
        """Also show what became of what is sent elsewhere, by destination and fate."""
        self.registry.register(_Sent(counts))

    def count_refused(self, refused: Callable[[], int]) -> None:
        """Also show how many requests were refused because too many were under way."""
        self.registry.register(_Refused(refused))

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Read(Collector):
    def __init__(
        self, readings: Readings, verdicts: Mapping[str, int], slates: Mapping[str, int]
    ) -> None:
        self._readings = readings
        self._verdicts = verdicts
        self._slates = slates

    def collect(self) -> list[Metric]:
        """The values of this moment."""
        values = self._readings()
        found: list[Metric] = [
            GaugeMetricFamily(f"endcap_{name}", about, values[name])
            for name, about in GAUGES.items()
            if name in values
        ]
        events = CounterMetricFamily("endcap_events", "Events by verdict.", labels=["verdict"])
        for verdict, count in sorted(self._verdicts.items()):
            events.add_metric([verdict], count)
        slates = CounterMetricFamily(
            "endcap_slates", "Slates that may be given again, by where they came from.",
            labels=["source"],
        )  # fmt: skip
        for source, count in sorted(self._slates.items()):
            slates.add_metric([source], count)
        return [*found, events, slates]


class _Sent(Collector):
    def __init__(self, counts: Callable[[], dict[tuple[str, str], int]]) -> None:
        self._counts = counts

    def collect(self) -> list[Metric]:
        """The counts of this moment."""
        about = "Log lines, spans and errors sent elsewhere or dropped, by destination."
        family = CounterMetricFamily("endcap_telemetry", about, labels=["destination", "fate"])
        for labels, count in sorted(self._counts().items()):
            family.add_metric(labels, count)
        return [family]


class _Refused(Collector):
    def __init__(self, refused: Callable[[], int]) -> None:
        self._refused = refused

    def collect(self) -> list[Metric]:
        """The count of this moment."""
        about = "Requests refused because more were under way than the process takes on."
        return [CounterMetricFamily("endcap_http_refused", about, self._refused())]
