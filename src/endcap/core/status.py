"""What the services say of placements and builds."""

from typing import Literal

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
