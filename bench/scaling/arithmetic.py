"""What an installation of a given size needs, from the figures of one node."""

import math
from collections.abc import Mapping
from typing import NamedTuple

Figures = Mapping[str, float]
DAY = 86_400


class Needs(NamedTuple):
    """Of one size; cores and processes at the peak, with the planned reserve."""

    events: int
    products: int
    asked_per_s: float
    events_per_s: float
    recommenders: int
    machines: int
    collectors: int
    log_share: float
    shards: int
    build_hours: float
    build_cores: int
    archive_gb: float
    memory_gb: float
    start_s: float


def needs(f: Figures, events: int, products: int) -> Needs:
    """What `events` a day over `products` need. Everything is linear in what was measured."""
    events_per_s = events / DAY * f["peak"]
    asked_per_s = events_per_s * f["requests_per_event"]
    millions = products / 1e6
    cost = f["recommend_cpu_us"] if products >= 1_000_000 else f["recommend_cpu_us_small"]
    recommenders = math.ceil(asked_per_s * cost / 1e6 / f["busy"])
    own, mapped = f["own_mb_per_million"] * millions, f["mapped_mb_per_million"] * millions
    fit = max(1, int((f["machine_gb"] * 1_000 - mapped) // max(own, 1)))
    core_s = events * f["days"] / f["build_events_per_core_s"]
    window = f["build_hours"] * 3_600
    return Needs(
        events=events,
        products=products,
        asked_per_s=asked_per_s,
        events_per_s=events_per_s,
        recommenders=max(2, recommenders),
        machines=math.ceil(max(2, recommenders) / min(fit, f["machine_processes"])),
        collectors=math.ceil(events_per_s / f["collect_events_per_s"] / f["busy"]),
        log_share=events_per_s / f["log_events_per_s"],
        shards=math.ceil(_visitors(f, events_per_s) * f["visitor_bytes"] / 1e9 / f["redis_gb"]),
        build_hours=core_s / f["machine_cores"] / 3_600,
        build_cores=math.ceil(core_s / window),
        archive_gb=events * f["keep_days"] * f["archive_bytes"] / 1e9,
        memory_gb=(own * min(fit, f["machine_processes"]) + mapped) / 1_000,
        start_s=f["start_cpu_s_per_million"] * millions,
    )


def _visitors(f: Figures, events_per_s: float) -> float:
    """Visitors of the busiest hour, as long as a copy stays."""
    return events_per_s / f["events_per_visit"] * 3_600


class Limit(NamedTuple):
    """A part that ends, and the events a day at which it does."""

    what: str
    events: float
    then: str


def limits(f: Figures) -> list[Limit]:
    """What breaks, the smallest first."""
    per_s = DAY / f["peak"]
    core_s = f["build_hours"] * 3_600 * f["build_events_per_core_s"] / f["days"]
    visitors = f["redis_gb"] * 1e9 / f["visitor_bytes"] / 3_600 * f["events_per_visit"]
    process = f["busy"] / (f["recommend_cpu_us"] / 1e6) / f["requests_per_event"]
    found = [
        Limit("one process that does everything", process * per_s, "more replicas"),
        Limit(
            "one collecting process, single events",
            f["collect_events_per_s"] * f["busy"] * per_s,
            "more collectors, or batches",
        ),
        Limit(
            "the log on one database server",
            f["log_events_per_s"] * f["busy"] * per_s,
            "a larger server, then a log split by visitor: **not built**",
        ),
        Limit("a build on 2 cores in its window", 2 * core_s, "a larger machine"),
        Limit(
            f"a build on {f['machine_cores']:.0f} cores in its window",
            f["machine_cores"] * core_s,
            "Spark, or fewer days",
        ),
        Limit("one shard of Redis", visitors * per_s, "a cluster: keys of a visitor share a slot"),
    ]
    return sorted(found, key=lambda limit: limit.events)
