"""Everything that runs, as wiring puts it together."""

import msgspec

from endcap.core.times import Clock
from endcap.erasing import Erasing
from endcap.measuring import Measuring
from endcap.noticing import Noticing
from endcap.replication import Replication, VisitorAccess
from endcap.ruling import Ruling
from endcap.services.builds import BuildService
from endcap.services.catalogue import CatalogueService
from endcap.services.collect import Collector
from endcap.services.decisions import DecisionService
from endcap.services.experiments import ExperimentService
from endcap.services.four_eyes import FourEyes
from endcap.services.gate import Gate
from endcap.services.group_commit import GroupCommitter
from endcap.services.letters import Letters
from endcap.services.live import LiveState
from endcap.services.offering import Offering
from endcap.services.placement_drafts import PlacementDrafts
from endcap.services.placements import PlacementService
from endcap.services.readiness import Readiness
from endcap.services.recommend import RecommendService
from endcap.services.results import ResultService
from endcap.services.security import Security
from endcap.services.served import ServedLog
from endcap.services.shadow import ShadowService
from endcap.services.tailing import Follower
from endcap.services.traces import Traces
from endcap.services.visitors import VisitorService
from endcap.settings import Settings
from endcap.storage.stores import Store


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
    offering: Offering
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
    noticing: Noticing
    drafts: PlacementDrafts
    shadows: ShadowService
    four_eyes: FourEyes
