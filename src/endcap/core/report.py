"""What a report is asked and what it answers."""

from typing import Any, Literal

import msgspec

DIMENSIONS = (
    "day",
    "placement",
    "strategy",
    "rule",
    "product",
    "segment",
    "zone",
    "device",
    "experiment",
    "variant",
)
PRODUCT_DIMENSIONS = frozenset({"day", "placement", "strategy", "product"})
"""What products are counted by; a report by product takes no other dimension."""
MAX_ROWS = 10_000


class ReportQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows, for which days (ISO dates, both included), narrowed by `filters`.

    `window` is the attribution window in days; `model` gives credit to the last touch, or to every
    slate touched (then rows add up to more than was sold). `assortment` adds how many products
    were shown and how evenly, which takes longer.
    """

    group_by: tuple[str, ...]
    first: str
    last: str
    filters: dict[str, str]
    window: int
    model: Literal["last", "any"] = "last"
    currency: str = "EUR"
    limit: int = 1_000
    assortment: bool = False


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """All that was sold in the days, with or without recommendations.

    `revenue` is net of refunds and summed from lines; `reported` is the shop's own figure of the
    same orders, where it sent one. `recommended` is the part that the last touch credits, `organic`
    the rest. `other_currencies` counts orders that `revenue` leaves out.
    """

    revenue: str
    reported: str | None
    orders: int
    units: int
    buyers: int
    unpriced_lines: int
    recommended: str
    organic: str
    recommended_orders: int
    other_currencies: dict[str, int]


class RuleEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Slots that a rule moved, pinned or marked, beside the other slots of its places and days.

    `basis` says whether `shown` counts products seen or, in a shop without impressions, served.
    `lift` compares click rates placement by placement and day by day, with a 95 % interval. It is
    no experiment: a pin stands where people look first, and what a rule picks differs from the
    rest; views of one visitor count as independent.
    """

    rule: str
    basis: str
    shown: int
    clicked: int
    rate: float | None
    others_shown: int
    others_clicked: int
    others_rate: float | None
    lift: float | None
    low: float | None
    high: float | None
    as_of: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a report; `counted_to` is the place in the log and `as_of` the time it is as of."""

    first: str
    last: str
    group_by: tuple[str, ...]
    window: int
    model: str
    currency: str
    rows: list[dict[str, Any]]
    total: dict[str, Any]
    baseline: Baseline
    counted_to: int
    as_of: str
