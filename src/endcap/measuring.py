"""Puts reports together; part of the composition root."""

import logging
import threading
from collections.abc import Callable
from functools import partial

import msgspec

from endcap.build.archive import archive, read_state
from endcap.build.reports.attribution import Attribution
from endcap.build.reports.live import LiveRollups
from endcap.build.reports.performance import PerformanceReports
from endcap.build.reports.rollups import Noted, Rollups
from endcap.build.reports.trials import TrialReports
from endcap.core.errors import StoreUnavailable
from endcap.core.ports import EventLog
from endcap.core.times import Clock
from endcap.keeping import archive_home, mirror_of
from endcap.services.reports import ReportService
from endcap.settings import Settings
from endcap.storage.folder_lock import folder_lock
from endcap.storage.job_log import JobLog

LOG = logging.getLogger(__name__)
Done = Callable[[float], None]


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """What measures: each shop's rollups, and the reports over them.

    `archive` brings a shop's archive and rollups up to the log's end; builds use it too, so that
    the two never write at once. `change` runs a change of a shop's archive, which gives how much
    it took out, and has the rollups made anew when that was anything.
    """

    archive: Callable[[str, Done], None]
    change: Callable[[str, Callable[[], int]], int]
    shops: dict[str, LiveRollups]
    reports: ReportService
    trials: Callable[[str], TrialReports]

    def close(self) -> None:
        """Let go of the databases."""
        for live in self.shops.values():
            live.close()


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
    settings: Settings, log: EventLog, catalogue: Callable[[str], int], clock: Clock
) -> Measuring:
    """Everything that measures; `catalogue` says how many products of a shop are live."""
    shops = {shop: _live(settings, log, shop, clock) for shop in settings.shop_hosts}
    turns = {shop: turn for shop, (_, _, turn) in shops.items()}
    reports = {shop: _reports(live, shop, catalogue) for shop, (live, _, _) in shops.items()}
    trials = {shop: TrialReports(live) for shop, (live, _, _) in shops.items()}

    def archive_and_fold(shop: str, done: Done) -> None:
        live, bring_up, _ = shops[shop]
        if not settings.objects_url:
            bring_up(done)  # Readers of reports need not wait for this part.
        live.fold(done)

    def change(shop: str, work: Callable[[], int]) -> int:
        def alone() -> int:
            with turns[shop], folder_lock(archive_home(settings, shop) / "archive.lock", wait=True):
                mirror = mirror_of(settings, shop)
                return work() if mirror is None else mirror.changing(work)

        return shops[shop][0].after(alone)

    return Measuring(
        archive=archive_and_fold,
        change=change,
        shops={shop: live for shop, (live, _, _) in shops.items()},
        reports=ReportService(
            reports.__getitem__, clock, settings.currency, settings.attribution_days
        ),
        trials=trials.__getitem__,
    )


def _live(
    settings: Settings, log: EventLog, shop: str, clock: Clock
) -> tuple[LiveRollups, Callable[[Done], None], threading.Lock]:
    home, turn = archive_home(settings, shop), threading.Lock()
    jobs, mirror = JobLog(settings.folder, clock), mirror_of(settings, shop)
    rollups = Noted(rollups_of(settings, shop), partial(jobs.run, shop, "rollups"))

    def bring_up(done: Done = lambda _: None) -> None:
        # The folder may be shared with other replicas, of which one archives at a time.
        with turn, folder_lock(home / "archive.lock", wait=True):
            if mirror is not None and _tried(mirror.pull):
                rollups.clear()
            with jobs.run(shop, "archive") as counts:
                before = read_state(home).events
                counts["events"] = archive(log, home, shop, done).events - before
            if mirror is not None:
                _tried(mirror.push)

    return LiveRollups(log, shop, rollups, bring_up, clock), bring_up, turn


def _tried(work: Callable[[], bool | None]) -> bool:
    """Whether it says yes; what the object storage cannot do now is done with the next build."""
    try:
        return bool(work())
    except StoreUnavailable as error:
        LOG.warning("the archive is not in step with its copy: %s", error.detail)
        return False


def _reports(live: LiveRollups, shop: str, catalogue: Callable[[str], int]) -> PerformanceReports:
    return PerformanceReports(live, lambda: catalogue(shop))
