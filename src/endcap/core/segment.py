"""Segments as data, and what is known of a visitor as the API shows it."""

from decimal import Decimal

import msgspec


class Segment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named condition over a visitor's traits: `when` is an expression over `visitor`."""

    when: str
    title: str = ""


class SegmentView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a segment; `english` is its condition in words."""

    name: str
    version: int
    segment: Segment | None
    english: str
    author: str
    note: str
    created_at: int


class VisitorTags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tags that the shop gave a visitor, in place of those given before."""

    tags: list[str]


class TagsGiven(msgspec.Struct, frozen=True):
    """Tags that the shop gave a visitor at a time (UTC milliseconds)."""

    tags: list[str]
    at: int


class VisitorTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a visitor as a whole. Days count back from now, None for never."""

    orders: int
    spend: Decimal
    currency: str
    days_since_seen: float | None
    days_since_first_seen: float | None
    days_since_order: float | None
    favourite_category: str | None
    device: str | None
    zone: str | None
    tags: list[str]


class VisitorView(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor: traits, and the segments they are in."""

    visitor: str
    traits: VisitorTraits
    segments: list[str]
