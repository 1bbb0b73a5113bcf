"""Serving an installation over HTTP: what the web layer works with, and the server's run."""

import gc
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from endcap.core.placement import Placement
from endcap.evaluate.backtest import Ask, Stage, backtest
from endcap.installation import Installation
from endcap.observed import Telemetry, metrics_of
from endcap.roles import drain_seconds, duties, operations_of
from endcap.secured import door_rules
from endcap.services.inspect import Inspector
from endcap.services.shopfront import Shopfront
from endcap.services.trends import TrendService
from endcap.storage.job_log import JobLog
from endcap.telemetry.tracer import Tracer
from endcap.web.app import create_app
from endcap.web.crowd import Crowd
from endcap.web.server import Drain, Place, run
from endcap.web.services import AppServices

BACKTESTED = 200
"""Slates that a backtest on a page draws: enough to see something, and soon done."""


def app_services(installation: Installation, tracer: Tracer | None = None) -> AppServices:
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
        drafts=installation.drafts,
        four_eyes=installation.four_eyes,
        shadows=installation.shadows,
        backtest=partial(_backtest, installation),
        jobs=JobLog(settings.folder, installation.clock).latest,
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
        webhooks=installation.noticing.webhooks,
        fetch=installation.noticing.fetch,
        ready=partial(_ready, installation),
        metrics=metrics_of(
            settings,
            installation.live,
            installation.builds,
            installation.served,
            installation.collector,
            installation.clock,
            installation.access.slates,
        ),
        log_requests=settings.log_requests,
        clock=installation.clock,
        tracer=tracer,
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
        calm_collector()
        installation.store.describe({"pid": os.getpid(), "url": url})
        listening(url)

    shared = installation.store.shared
    does = duties(settings, shared)
    telemetry = Telemetry(settings, installation.clock)
    services = app_services(installation, telemetry.tracer)
    services.metrics.count_telemetry(telemetry.counts)
    crowd = Crowd(settings.limit_busy, settings.client_patience)
    services.metrics.count_refused(lambda: crowd.refused)
    app = create_app(services, operations_of(does), does.pages)
    drain = Drain(installation.readiness.stop, drain_seconds(settings, shared))
    with telemetry.running():
        await run(app, Place(settings.host, settings.port, crowd), tell, drain)


# New objects beyond those freed before the youngest generation is looked at; Python's own is 700.
YOUNG = 50_000


def calm_collector() -> None:
    """Keep the garbage collector from walking through the catalogue in the middle of a request.

    What was loaded at the start stays as long as the process does. Little of what requests make
    is ever part of a cycle, so looking for cycles seldom is enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)


async def _backtest(
    installation: Installation, shop: str, placement: str, draft: Placement, without: list[str]
) -> Any:
    """A draft of a placement over a sample of the last week's requests."""
    ruling = installation.ruling
    before = after = ruling.rules.published(shop)
    for name in without:
        after = after.with_rule(name, 0, None)
    stage = Stage(
        shop,
        installation.live,
        installation.placements,
        ruling.segments,
        ruling.previews,
        installation.store.events,
    )
    ask = Ask(before, after, placement, draft, installation.clock(), limit=BACKTESTED)
    return await backtest(stage, ask, lambda stage, done: None)


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
