"""Puts reports together; part of the composition root."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from endcap.build.archive import archive
from endcap.build.reports.attribution import Attribution
from endcap.build.reports.live import LiveRollups
from endcap.build.reports.performance import PerformanceReports
from endcap.build.reports.rollups import Rollups
from endcap.core.ports import EventLog
from endcap.core.times import Clock
from endcap.services.reports import ReportService
from endcap.settings import Settings
from endcap.storage.folder_lock import folder_lock

Done = Callable[[float], None]


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """What measures: the rollups and the reports over them.

    `archive` brings the archive and the rollups up to the log's end; builds use it too, so that
    the two never write at once.
    """

    archive: Callable[[Done], None]
    rollups: LiveRollups
    reports: ReportService


def archive_home(settings: Settings, shop: str) -> Path:
    """The folder of a shop's archive."""
    return settings.folder / "archive" / f"shop={shop.encode().hex()}"


def rollups_of(settings: Settings, shop: str) -> Rollups:
    """A shop's rollups."""
    attribution = Attribution(
        days=settings.attribution_days,
        view_through=settings.view_through,
        heavy=settings.heavy_visitor,
    )
    folder = settings.folder / "rollups" / f"shop={shop.encode().hex()}"
    return Rollups(
        archive_home(settings, shop),
        folder,
        attribution,
        settings.build_memory,
        settings.build_threads,
    )


def assemble_measuring(
    settings: Settings, log: EventLog, catalogue: Callable[[], int], clock: Clock
) -> Measuring:
    """Everything that measures one shop; `catalogue` says how many products are live."""
    shop = settings.shop
    home, turn = archive_home(settings, shop), threading.Lock()

    def bring_up(done: Done = lambda _: None) -> None:
        # The folder may be shared with other replicas, of which one archives at a time.
        with turn, folder_lock(home / "archive.lock", wait=True):
            archive(log, home, shop, done)

    live = LiveRollups(log, shop, rollups_of(settings, shop), bring_up, clock)

    def archive_and_fold(done: Done) -> None:
        bring_up(done)
        live.fold()

    reports = PerformanceReports(live, catalogue)
    return Measuring(
        archive=archive_and_fold,
        rollups=live,
        reports=ReportService(reports, clock, settings.currency, settings.attribution_days),
    )
