"""What recommending works on: a request with all its slate is made from."""

from typing import NamedTuple

from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query

from .resolve import Asked
from .trials import Trial


class Case(NamedTuple):
    """A request with all that its slate is made from; `began` is the stopwatch's reading."""

    shop: str
    asked: Asked
    plan: Plan
    query: Query
    published: PlacementRules
    trial: Trial | None
    began: int
