"""The composition root: the only place that knows every part and reads the clock."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from endcap.building import audiences_of, build_runner
from endcap.core.times import Clock
from endcap.erasing import Holdings, assemble_erasing, gate_of, letters_of
from endcap.fresh import new_id, system_clock
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.installation import Installation
from endcap.keeping import snapshots_of
from endcap.measuring import assemble_measuring
from endcap.noticing import noticing_of
from endcap.recommend.registry import Components
from endcap.replication import (
    builds_of,
    replication_of,
    visitor_access,
)
from endcap.roles import duties
from endcap.ruling import Read, assemble_ruling
from endcap.secret import check_secret, read_secret
from endcap.secured import security_of
from endcap.services.builds import BuildService
from endcap.services.catalogue import CatalogueService
from endcap.services.collect import Collector
from endcap.services.decisions import KINDS, DecisionService
from endcap.services.experiments import ExperimentService
from endcap.services.four_eyes import FourEyes
from endcap.services.group_commit import GroupCommitter
from endcap.services.live import LiveState
from endcap.services.offer_budgets import OfferBudgets
from endcap.services.offering import Offering
from endcap.services.past import PastStates
from endcap.services.placement_drafts import PlacementDrafts
from endcap.services.placements import PlacementService
from endcap.services.readiness import Readiness
from endcap.services.recommend import RecommendService
from endcap.services.results import ResultService
from endcap.services.served import ServedLog
from endcap.services.tailing import Follower, WakingCommitter
from endcap.services.traces import Traces
from endcap.services.visitors import VisitorService
from endcap.settings import Settings
from endcap.shadowing import shadows_of
from endcap.storage.stores import Store, open_store

REFRESH_SECONDS = 1
"""How often a replica looks for keys, accounts and revocations that another one changed."""


@asynccontextmanager
async def open_installation(
    settings: Settings, clock: Clock = system_clock, serving: bool = False, answers: bool = True
) -> AsyncIterator[Installation]:
    """Open the store, load its shops, and close all of it again.

    `serving` adds automatic builds and following the log. Without `answers`, for commands that
    recommend nothing, neither catalogue nor snapshot is read into memory.
    Raises ConfigurationError when the installation cannot work as it is set up.
    """
    store = open_store(settings.store_url, settings.folder)
    try:
        does = duties(settings, store.shared)
        installation = _assemble(settings, store, clock)
        await installation.security.load(list(settings.shop_hosts))
        for shop in settings.shop_hosts:
            await installation.replication.start(shop)
            await installation.four_eyes.load(shop)
            await installation.placements.load(shop)
            await installation.ruling.load(shop)
            await installation.experiments.load(shop)
            await installation.shadows.load(shop)
            await installation.decisions.load(shop)
            if does.live and answers:
                await installation.live.load(shop)
            await installation.erasing.erasures.load(shop)
        upkeep = installation.security.running(REFRESH_SECONDS if store.shared else 0)
        async with installation.access.running(), upkeep, _background(installation, serving):
            try:
                yield installation
            finally:
                await installation.erasing.erasures.stop()
                await installation.shadows.settle()
                await installation.offering.stop()
                await installation.served.flush()
                await installation.committer.stop()
                installation.measuring.close()
    finally:
        store.close()


def _assemble(settings: Settings, store: Store, clock: Clock) -> Installation:
    secret = read_secret(settings)
    check_secret(store.control, secret, clock())
    pseudonyms = Pseudonyms(secret)
    snapshots = snapshots_of(settings)
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
    drafts = PlacementDrafts(store.control, placements, clock)
    four_eyes = FourEyes(store.control, placements, drafts, clock)
    placements.may_go_live = four_eyes.check_placement
    ruling.rules.may_publish = experiments.may_publish = four_eyes.check
    noticing = noticing_of(settings, store.control, secret, new_id, clock)
    gate, letters = gate_of(settings, store, secret, clock), letters_of(secret, pseudonyms)
    builds = BuildService(
        build_runner(settings, store, clock, measuring, audiences_of(settings, ruling.segments)),
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
        segments=ruling.segments,
    )
    budgets = OfferBudgets(store.control, clock) if store.shared else None
    offering = Offering(store.events, budgets)
    recommender = RecommendService(
        live,
        placements,
        visitors,
        pseudonyms,
        served,
        clock,
        new_id,
        ruling.rules,
        settings.session_minutes,
        offering,
        ruling.segments,
        experiments,
        gate,
        time.perf_counter_ns,
        access.slates,
    )
    drafted, answering = (placements, drafts, ruling), (recommender, served, gate)
    shadows = shadows_of(store, drafted, answering, measuring, (clock, time.perf_counter_ns))
    ruling.rules.before_live = recommender.prepare
    ruling.previews.gate = gate
    erasing = assemble_erasing(settings, holdings, gate, (secret, pseudonyms), new_id, clock)
    noticing.listen(ruling.rules, placements, experiments, builds, erasing.erasures)
    stock = noticing.watch_stock(live, settings.low_stock)
    return Installation(
        settings=settings,
        clock=clock,
        store=store,
        live=live,
        placements=placements,
        catalogue=CatalogueService(store.catalogue, stock, clock, settings.currency),
        collector=Collector(
            WakingCommitter(committer, follower.wake),
            visitors,
            pseudonyms,
            clock,
            new_id,
            settings.currency,
            gate,
            letters,
            lambda shop: live.state(shop).merchant.aliases,
        ),
        recommender=recommender,
        offering=offering,
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
            experiments,
        ),
        builds=builds,
        served=served,
        committer=committer,
        follower=follower,
        measuring=measuring,
        security=security_of(settings, store.control, secret, clock, access.limits(secret)),
        decisions=decisions,
        visitors=VisitorService(
            committer, visitors, pseudonyms, live, decisions, (clock, new_id), gate
        ),
        replication=replication_of(
            store,
            live,
            {
                "placement": placements.load,
                "experiment": experiments.load,
                "shadow": shadows.load,
                "policy": four_eyes.load,
                **dict.fromkeys(("suppressed", "consent"), gate.refresh),
                **dict.fromkeys(KINDS, decisions.load),
                **ruling.reloads,
            },
        ),
        readiness=Readiness(lambda: store.events.last(settings.shop)),
        access=access,
        gate=gate,
        letters=letters,
        erasing=erasing,
        noticing=noticing,
        drafts=drafts,
        shadows=shadows,
        four_eyes=four_eyes,
    )


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
            work += installation.noticing.work(shops, replication.leads)
    tasks = [asyncio.get_running_loop().create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
