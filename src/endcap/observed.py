"""Putting together what operators see: the process's logs and its metrics."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from endcap.core.times import SECOND, Clock
from endcap.services.builds import BuildService
from endcap.services.collect import Collector
from endcap.services.live import LiveState
from endcap.services.served import ServedLog
from endcap.settings import Settings
from endcap.telemetry.logs import Logs
from endcap.telemetry.metrics import Metrics


@contextmanager
def logging_to_stderr(settings: Settings) -> Iterator[Logs]:
    """The process's logs as the settings say, until the block ends."""
    logs = Logs(settings.log_level, settings.log_format, settings.role)
    logs.start()
    try:
        yield logs
    finally:
        logs.stop()


def metrics_of(
    settings: Settings,
    live: LiveState,
    builds: BuildService,
    served: ServedLog,
    collector: Collector,
    clock: Clock,
) -> Metrics:
    """The metrics of an installation; gauges are read when somebody asks."""
    return Metrics(_readings(settings.shop, live, builds, served, clock), collector.verdicts)


def _readings(
    shop: str, live: LiveState, builds: BuildService, served: ServedLog, clock: Clock
) -> Callable[[], dict[str, float]]:
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
