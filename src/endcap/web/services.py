"""What the web layer is given to work with."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from endcap.core.job import Job
from endcap.core.placement import Placement
from endcap.core.times import Clock
from endcap.services.builds import BuildService
from endcap.services.catalogue import CatalogueService
from endcap.services.collect import Collector
from endcap.services.decisions import DecisionService
from endcap.services.experiments import ExperimentService
from endcap.services.four_eyes import FourEyes
from endcap.services.inspect import Inspector
from endcap.services.placement_drafts import PlacementDrafts
from endcap.services.placements import PlacementService
from endcap.services.previews import Previews
from endcap.services.privacy import PrivacyDesk
from endcap.services.recommend import RecommendService
from endcap.services.reports import ReportService
from endcap.services.results import ResultService
from endcap.services.rule_trials import RuleTrials
from endcap.services.rules import RuleService
from endcap.services.security import Security
from endcap.services.segments import SegmentService
from endcap.services.shadow import ShadowService
from endcap.services.shopfront import Shopfront
from endcap.services.traces import Traces
from endcap.services.trends import TrendService
from endcap.services.visitors import VisitorService
from endcap.services.webhooks import Webhooks
from endcap.telemetry.metrics import Metrics
from endcap.telemetry.tracer import Tracer

from .auth.door import DoorRules

Readiness = Callable[[], Awaitable[dict[str, Any]]]
Fetch = Callable[[str], tuple[str, bytes]]
"""Content type and content of a feed (blocking). Raises EndcapError."""


class AppServices(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases, how callers are let in, and the limits of a body.

    `ready` answers with a key `ready` and what was checked.
    """

    door: DoorRules
    security: Security
    privacy: PrivacyDesk
    collector: Collector
    catalogue: CatalogueService
    recommender: RecommendService
    placements: PlacementService
    drafts: PlacementDrafts
    four_eyes: FourEyes
    shadows: ShadowService
    backtest: Callable[[str, str, Placement, list[str]], Awaitable[Any]]
    jobs: Callable[[str, int], list[Job]]
    builds: BuildService
    reports: ReportService
    experiments: ExperimentService
    results: ResultService
    traces: Traces
    decisions: DecisionService
    visitors: VisitorService
    trends: TrendService
    inspector: Inspector
    shopfront: Shopfront
    rules: RuleService
    segments: SegmentService
    previews: Previews
    trials: RuleTrials
    webhooks: Webhooks
    fetch: Fetch
    ready: Readiness
    metrics: Metrics
    clock: Clock
    tracer: Tracer | None = None
    log_requests: str = "slow"
    api_key: str = ""
    shopify_secret: str = ""
    max_body: int = 4 * 2**20
    max_import_body: int = 100 * 2**20
