"""Puts shadows together; part of the composition root."""

from collections.abc import Callable

from endcap.core.times import Clock
from endcap.measuring import Measuring
from endcap.ruling import Ruling
from endcap.services.gate import Gate
from endcap.services.placement_drafts import PlacementDrafts
from endcap.services.placements import PlacementService
from endcap.services.recommend import RecommendService
from endcap.services.served import ServedLog
from endcap.services.shadow import ShadowService
from endcap.storage.stores import Store

Drafted = tuple[PlacementService, PlacementDrafts, Ruling]


def shadows_of(
    store: Store,
    drafted: Drafted,
    answering: tuple[RecommendService, ServedLog, Gate],
    measuring: Measuring,
    clocks: tuple[Clock, Callable[[], int]],
) -> ShadowService:
    """Shadows that are offered every answered request; `clocks` are the clock and a stopwatch."""
    placements, drafts, ruling = drafted
    recommender, served, gate = answering
    made = ShadowService(
        store.control,
        placements,
        drafts,
        ruling.rules,
        ruling.segments,
        served,
        gate,
        measuring.trials,
        *clocks,
    )
    recommender.shadow = made.offer
    return made
