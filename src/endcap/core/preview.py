"""A preview: what a placement would show to a made-up visitor, now and with drafts."""

from decimal import Decimal

import msgspec

from .placement import Placement
from .rule import Rule


class MadeUpVisitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Traits of a visitor who does not exist; segments follow from them, `segments` are added."""

    orders: int = 0
    spend: Decimal = Decimal(0)
    days_since_seen: float | None = None
    days_since_first_seen: float | None = None
    days_since_order: float | None = None
    favourite_category: str | None = None
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class PreviewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom, when, and with which drafts.

    `rules` are drafts by name, in place of what is published under the name; `without` are rules to
    leave out; `draft` is the placement as it would be. `visitor` is a real visitor whose events
    are read, `made_up` one who does not exist. `as_of` is ISO 8601.
    """

    placement: str = ""
    visitor: str | None = None
    made_up: MadeUpVisitor | None = None
    seed: list[str] = []
    cart: list[str] | None = None
    exclude: list[str] = []
    zone: str | None = None
    device: str | None = None
    category: str | None = None
    search: str | None = None
    filter: str | None = None
    sort: str | None = None
    count: int | None = None
    as_of: str | None = None
    rules: dict[str, Rule] = {}
    without: list[str] = []
    draft: Placement | None = None


class PreviewItem(msgspec.Struct, frozen=True):
    """One product of a previewed slate; `rules` moved, pinned or marked it."""

    id: str
    title: str
    rung: str
    score: float
    rules: list[str]


class Move(msgspec.Struct, frozen=True):
    """Where a product stood and stands; None for not in the slate."""

    id: str
    before: int | None
    after: int | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The slate as it is and as it would be. `on` are the rules that hold for the request."""

    placement: str
    as_of: str
    segments: list[str]
    before: list[PreviewItem]
    after: list[PreviewItem]
    moves: list[Move]
    fallback_before: str | None
    fallback_after: str | None
    on_before: list[str]
    on_after: list[str]
