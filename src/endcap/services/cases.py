"""What recommending works on: a request with all its slate is made from, a draft, a preview."""

from typing import Any, NamedTuple

import msgspec

from endcap.core.answer import Item
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, Traits

from .resolve import Asked
from .trials import Trial


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview puts in place of what is live; None leaves it.

    `now` is the time to look at (UTC milliseconds), `traits` a simulated visitor's.
    """

    plan: Plan | None = None
    rules: PlacementRules | None = None
    now: int | None = None
    traits: Traits | None = None


class Preview(msgspec.Struct, frozen=True):
    """What a draft would show, with the trace behind it."""

    placement: str
    items: list[Item]
    fallback: str | None
    trace: dict[str, Any]


class Case(NamedTuple):
    """A request with all that its slate is made from; `began` is the stopwatch's reading."""

    shop: str
    asked: Asked
    plan: Plan
    query: Query
    published: PlacementRules
    trial: Trial | None
    began: int
