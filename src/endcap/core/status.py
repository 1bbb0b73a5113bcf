"""What the services say of placements and builds."""

from typing import Any, Literal

import msgspec

from .placement import Placement


class PlacementView(msgspec.Struct, frozen=True):
    """One version of a placement."""

    name: str
    version: int
    placement: Placement | None
    author: str
    note: str
    created_at: int


class BuildStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The newest build of this process. `done` runs from 0 to 1; times are UTC milliseconds."""

    state: Literal["idle", "running", "done", "failed"] = "idle"
    stage: str = ""
    done: float = 0.0
    snapshot: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    error: str | None = None


class DecisionView(msgspec.Struct, frozen=True):
    """One version of a list, an offer or other decision; `value` None means it was deleted."""

    name: str
    version: int
    value: Any
    author: str
    note: str
    created_at: int


class TrendView(msgspec.Struct, frozen=True):
    """Something wanted more than usual.

    `recent` are the visitors of the last `recent_hours`, `usual` those of an ordinary stretch as
    long, counted over `baseline_days`.
    """

    name: str
    title: str
    recent: float
    usual: float
    growth: float
    recent_hours: float
    baseline_days: float


class OptionView(msgspec.Struct, frozen=True):
    """An option of a strategy: its type and default as JSON."""

    name: str
    type: str
    default: Any


class StrategyView(msgspec.Struct, frozen=True):
    """A strategy as its code describes it: what it does, what it reads, what its reasons say."""

    name: str
    about: str
    detail: str
    options: list[OptionView]
    needs: list[str]
    reasons: list[str]
