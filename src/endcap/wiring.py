"""The composition root: the only place that knows every part and reads the clock."""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from endcap.building import build_runner
from endcap.core.times import Clock
from endcap.erasing import Erasing, Holdings, assemble_erasing, gate_of, letters_of
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.measuring import Measuring, assemble_measuring
from endcap.observed import logging_to_stderr, metrics_of
from endcap.recommend.registry import Components
from endcap.replication import (
    Replication,
    VisitorAccess,
    builds_of,
    replication_of,
    visitor_access,
)
from endcap.roles import drain_seconds, duties, operations_of
from endcap.ruling import Read, Ruling, assemble_ruling
from endcap.secret import check_secret, read_secret
from endcap.secured import door_rules, security_of
from endcap.services.builds import BuildService
from endcap.services.catalogue import CatalogueService
from endcap.services.collect import Collector
from endcap.services.decisions import KINDS, DecisionService
from endcap.services.experiments import ExperimentService
from endcap.services.gate import Gate
from endcap.services.group_commit import GroupCommitter
from endcap.services.inspect import Inspector
from endcap.services.letters import Letters
from endcap.services.live import LiveState
from endcap.services.offering import Offering
from endcap.services.past import PastStates
from endcap.services.placement_drafts import PlacementDrafts
from endcap.services.placements import PlacementService
from endcap.services.readiness import Readiness
from endcap.services.recommend import RecommendService
from endcap.services.results import ResultService
from endcap.services.security import Security
from endcap.services.served import ServedLog
from endcap.services.shopfront import Shopfront
from endcap.services.tailing import Follower, WakingCommitter
from endcap.services.traces import Traces
from endcap.services.trends import TrendService
from endcap.services.visitors import VisitorService
from endcap.settings import Settings
from endcap.storage.snapshots import FolderSnapshots
from endcap.storage.stores import Store, open_store
from endcap.web.app import create_app
from endcap.web.server import Drain, run
from endcap.web.services import AppServices

REFRESH_SECONDS = 1
"""How often a replica looks for keys, accounts and revocations that another one changed."""


def system_clock() -> int:
    """Now, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that runs, built once."""

    settings: Settings
    clock: Clock
    store: Store
    live: LiveState
    placements: PlacementService
    catalogue: CatalogueService
    collector: Collector
    recommender: RecommendService
    traces: Traces
    ruling: Ruling
    builds: BuildService
    served: ServedLog
    committer: GroupCommitter
    follower: Follower
    measuring: Measuring
    experiments: ExperimentService
    results: ResultService
    security: Security
    decisions: DecisionService
    visitors: VisitorService
    replication: Replication
    readiness: Readiness
    access: VisitorAccess
    gate: Gate
    letters: Letters
    erasing: Erasing


@asynccontextmanager
async def open_installation(
    settings: Settings, clock: Clock = system_clock, serving: bool = False
) -> AsyncIterator[Installation]:
    """Open the store, load its shops, and close all of it again.

    `serving` adds automatic builds and following the log.

    Raises ConfigurationError when the installation cannot work as it is set up.
    """
    store = open_store(settings.store_url, settings.folder)
    try:
        does = duties(settings, store.shared)
        installation = _assemble(settings, store, clock)
        await installation.security.load(list(settings.shop_hosts))
        for shop in settings.shop_hosts:
            await installation.replication.start(shop)
            await installation.placements.load(shop)
            await installation.ruling.load(shop)
            await installation.experiments.load(shop)
            await installation.decisions.load(shop)
            if does.live:
                await installation.live.load(shop)
            await installation.erasing.erasures.load(shop)
        upkeep = installation.security.running(REFRESH_SECONDS if store.shared else 0)
        async with installation.access.running(), upkeep, _background(installation, serving):
            try:
                yield installation
            finally:
                await installation.erasing.erasures.stop()
                await installation.served.flush()
                await installation.committer.stop()
                installation.measuring.close()
    finally:
        store.close()


def _assemble(settings: Settings, store: Store, clock: Clock) -> Installation:
    secret = read_secret(settings)
    check_secret(store.control, secret, clock())
    pseudonyms = Pseudonyms(secret)
    snapshots = FolderSnapshots(settings.folder / "snapshots")
    live = LiveState(
        store.catalogue,
        snapshots,
        store.events,
        settings.session_minutes,
        settings.folder / "images",
    )
    follower = Follower(live.state, store.events)
    placements = PlacementService(store.control, Components(), clock)
    access = visitor_access(settings, store)
    visitors = access.store
    committer = GroupCommitter(store.events)
    served = ServedLog(committer)
    measuring = assemble_measuring(
        settings, store.events, lambda shop: live.state(shop).columns.live, clock
    )
    decisions = DecisionService(store.control, lambda shop: live.state(shop).merchant, clock)
    read = Read(live, placements, visitors, pseudonyms)
    ruling = assemble_ruling(store, read, clock, settings.currency)
    experiments = ExperimentService(store.control, placements, clock, new_id)
    gate, letters = gate_of(settings, store, secret, clock), letters_of(secret, pseudonyms)
    builds = BuildService(
        build_runner(settings, store, clock, measuring),
        store.events,
        snapshots,
        live,
        clock,
        settings.keep_snapshots,
    )
    holdings = Holdings(
        store=store,
        visitors=visitors,
        committer=committer,
        served=served,
        snapshots=snapshots,
        builds=builds,
        live=live,
        measuring=measuring,
    )
    return Installation(
        settings=settings,
        clock=clock,
        store=store,
        live=live,
        placements=placements,
        catalogue=CatalogueService(store.catalogue, live.changed, clock, settings.currency),
        collector=Collector(
            WakingCommitter(committer, follower.wake),
            visitors,
            pseudonyms,
            clock,
            new_id,
            settings.currency,
            gate,
            letters,
        ),
        recommender=RecommendService(
            live,
            placements,
            visitors,
            pseudonyms,
            served,
            clock,
            new_id,
            ruling.rules,
            settings.session_minutes,
            Offering(store.events),
            ruling.segments,
            experiments,
            gate,
        ),
        ruling=ruling,
        experiments=experiments,
        results=ResultService(experiments, measuring.trials, clock, settings.currency),
        traces=Traces(
            PastStates(live, snapshots, store.events),
            placements,
            ruling.rules,
            store.events,
            served,
            settings.session_minutes,
            ruling.segments,
        ),
        builds=builds,
        served=served,
        committer=committer,
        follower=follower,
        measuring=measuring,
        security=security_of(settings, store.control, secret, clock),
        decisions=decisions,
        visitors=VisitorService(committer, visitors, pseudonyms, live, decisions, (clock, new_id)),
        replication=replication_of(
            store,
            live,
            {
                "placement": placements.load,
                "experiment": experiments.load,
                "suppressed": gate.refresh,
                "consent": gate.refresh,
                **dict.fromkeys(KINDS, decisions.load),
                **ruling.reloads,
            },
        ),
        readiness=Readiness(lambda: store.events.last(settings.shop)),
        access=access,
        gate=gate,
        letters=letters,
        erasing=assemble_erasing(settings, holdings, gate, (secret, pseudonyms), new_id, clock),
    )


def app_services(installation: Installation) -> AppServices:
    """What the web layer works with."""
    settings = installation.settings

    return AppServices(
        door=door_rules(settings),
        security=installation.security,
        privacy=installation.erasing.desk,
        collector=installation.collector,
        catalogue=installation.catalogue,
        recommender=installation.recommender,
        placements=installation.placements,
        drafts=PlacementDrafts(
            installation.store.control, installation.placements, installation.clock
        ),
        builds=installation.builds,
        reports=installation.measuring.reports,
        experiments=installation.experiments,
        results=installation.results,
        traces=installation.traces,
        decisions=installation.decisions,
        visitors=installation.visitors,
        trends=TrendService(installation.live, installation.clock),
        rules=installation.ruling.rules,
        segments=installation.ruling.segments,
        previews=installation.ruling.previews,
        trials=installation.ruling.trials,
        ready=partial(_ready, installation),
        metrics=metrics_of(
            settings,
            installation.live,
            installation.builds,
            installation.served,
            installation.collector,
            installation.clock,
        ),
        log_requests=settings.log_requests,
        clock=installation.clock,
        shopfront=Shopfront(installation.live, installation.store.control),
        inspector=Inspector(installation.live, installation.store.events),
        api_key=settings.api_key,
        shopify_secret=settings.shopify_secret,
        max_body=settings.max_body,
        max_import_body=settings.max_import_body,
    )


async def run_server(installation: Installation, listening: Callable[[str], None]) -> None:
    """Serve the API until a signal says stop."""
    settings = installation.settings

    def tell(url: str) -> None:
        installation.store.describe({"pid": os.getpid(), "url": url})
        listening(url)

    shared = installation.store.shared
    does = duties(settings, shared)
    app = create_app(app_services(installation), operations_of(does), does.pages)
    drain = Drain(installation.readiness.stop, drain_seconds(settings, shared))
    with logging_to_stderr(settings):
        await run(app, settings.host, settings.port, tell, drain)


async def _ready(installation: Installation) -> dict[str, Any]:
    live, readiness = installation.live, installation.readiness
    state = live.state(installation.settings.shop)
    store = await readiness.store()
    needs_store = duties(installation.settings, installation.store.shared).needs_store
    return {
        "ready": not readiness.stopping and (store == "ok" or not needs_store),
        "role": installation.settings.role,
        "stopping": readiness.stopping,
        "store": store,
        "leads": installation.replication.leads(),
        "products": state.columns.live,
        "snapshot": state.joined.version or None,
        "snapshot_refused": live.refused,
        "served_dropped": installation.served.dropped,
    }


def new_id() -> str:
    """A fresh random id of 24 characters."""
    return secrets.token_urlsafe(18)


@asynccontextmanager
async def _background(installation: Installation, serving: bool) -> AsyncIterator[None]:
    settings, replication = installation.settings, installation.replication
    does = duties(settings, installation.store.shared)
    work: list[Coroutine[Any, Any, None]] = []
    if serving:
        shops = list(settings.shop_hosts)
        work += replication.work(shops, does.leads, does.live)
        if does.live:
            work += [installation.follower.run(shop) for shop in shops]
        if does.leads:
            work += builds_of(installation.builds, settings, replication)
            work += [installation.erasing.retention.every(shop) for shop in shops]
    tasks = [asyncio.get_running_loop().create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
