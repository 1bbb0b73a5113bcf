"""One whole build: the log into the archive, the catalogue out of the store, kernels over both."""

import shutil
from collections.abc import Callable
from pathlib import Path

from endcap.build.archive import read_state
from endcap.build.audiences import Audiences
from endcap.build.catalogue_export import export_catalogue
from endcap.build.parameters import BuildParameters
from endcap.build.run import BuildInput, build
from endcap.core.times import Clock
from endcap.keeping import archive_home
from endcap.measuring import Measuring
from endcap.services.builds import Progress
from endcap.services.segments import SegmentService
from endcap.settings import Settings
from endcap.storage.folder_lock import folder_lock
from endcap.storage.job_log import JobLog
from endcap.storage.snapshots import FolderSnapshots
from endcap.storage.stores import Store


def build_runner(
    settings: Settings,
    store: Store,
    clock: Clock,
    measuring: Measuring,
    audiences: Callable[[str], Audiences],
) -> Callable[[str, Progress], Path]:
    """What BuildService runs: archive, export, build; returns the finished folder."""

    jobs = JobLog(settings.folder, clock)

    def run(shop: str, progress: Progress) -> Path:
        work = settings.folder / "work" / f"shop={shop.encode().hex()}"
        # The folder may be shared with other replicas, one of which may be building by mistake.
        with folder_lock(work / "build.lock", wait=False), jobs.run(shop, "build") as counts:
            made = build_in(work, shop, progress)
            counts["events"] = read_state(archive_home(settings, shop)).events
            return made

    def build_in(work: Path, shop: str, progress: Progress) -> Path:
        home = archive_home(settings, shop)
        exported = work / "catalogue"
        shutil.rmtree(exported, ignore_errors=True)
        exported.mkdir(parents=True)
        now = clock()
        measuring.archive(shop, lambda done: progress("archiving", 0.3 * done))
        progress("reading the catalogue", 0.3)
        export_catalogue(store.catalogue, shop, exported)
        job = BuildInput(
            shop=shop,
            archive=home,
            exported=exported,
            work=work / "build",
            as_of=now,
            built_at=now,
            memory=settings.build_memory,
            threads=settings.build_threads,
            audiences=audiences(shop),
            master=settings.spark_master if settings.build_engine == "spark" else None,
            earlier=FolderSnapshots(settings.folder / "snapshots").latest(shop),
        )
        parameters = BuildParameters(session_minutes=settings.session_minutes)
        return build(job, parameters, lambda s, done: progress(s, 0.35 + 0.65 * done))

    return run


def audiences_of(settings: Settings, segments: SegmentService) -> Callable[[str], Audiences]:
    """The shop's own segments that builds count best sellers for: the first by name."""

    def audiences(shop: str) -> Audiences:
        own = sorted(segments.own(shop).items())[: settings.build_segments]
        return Audiences(dict(own), segments.tagged(shop), settings.currency)

    return audiences
