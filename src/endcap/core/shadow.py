"""A draft of a placement that is worked out on live requests, and never shown."""

from typing import NamedTuple

import msgspec

from .placement import Placement


class Shadow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The draft as it was when this began, and the part of the requests that it is tried on."""

    placement: Placement
    sample: float = 0.1
    since: int = 0


class ShadowWork(msgspec.Struct):
    """What this process has done for a shadow since it began or the process started.

    `dropped` were too many at once, `failed` could not be worked out.
    """

    scored: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0


class ShadowQuestion(NamedTuple):
    """Which shadow slates: of a placement's shadow `version`, since a time (UTC ms)."""

    placement: str
    version: int
    since: int
    hours: float = 24.0


class ShadowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What shadow slates were beside those shown.

    `overlap` is the mean part of products in both, `same` the number of equal slates. `wanted`
    slates were followed by a click on any slate, a cart or a purchase of the visitor within the
    hours; in how many of them was one of those products in the slate, shown and drafted. Visitors
    can click only what they see, so hits favour the slate that was shown. Times in milliseconds.
    """

    slates: int
    same: int
    overlap: float | None
    wanted: int
    shown_hits: int
    shadow_hits: int
    bought: int
    shown_bought: int
    shadow_bought: int
    p50_ms: float | None
    p99_ms: float | None
    as_of: str
