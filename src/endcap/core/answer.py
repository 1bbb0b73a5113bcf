"""What an answer is made of: reasons, items, and the slate around them.

None of it can refer back to itself, so the garbage collector need not look at it.
"""

from typing import Any

import msgspec


class Reason(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Why a product is in the slate: a code to switch on, a sentence to show, and the counts.

    `share` is this strategy's part of the final score.
    """

    code: str
    text: str
    strategy: str = ""
    share: float = 0.0
    counts: dict[str, int | float | str] = {}


class Badge(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A flag to print on the product, e.g. low stock with the true number left.

    It may be shown until `until` (ISO 8601). A price drop names the price before (`was`) and by how
    many per cent it fell, a bestseller its rank and category.
    """

    type: str
    text: str = ""
    left: int | None = None
    until: str | None = None
    was: str | None = None
    percent: float | None = None
    rank: int | None = None
    category: str | None = None


class OfferView(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """An offer that the answer carries, with the products of the slate it is about.

    `discount` reads like `10 %` or `5.00 EUR`.
    """

    name: str
    version: int
    title: str = ""
    text: str = ""
    discount: str | None = None
    products: list[str] = []


class Item(msgspec.Struct, gc=False, frozen=True):
    """One slot of a slate. `rung` is `strategies` or the fallback rung that filled the slot.

    `team` is the variant that put it there, in slates that an experiment interleaves.
    """

    id: str
    position: int
    score: float
    rung: str
    reasons: list[Reason]
    badges: list[Badge]
    product: msgspec.Raw
    team: str | msgspec.UnsetType = msgspec.UNSET


class Slate(msgspec.Struct, gc=False, frozen=True):
    """The ordered answer for one placement. `fallback` names the last rung used, if any."""

    token: str
    placement: str
    items: list[Item]
    fallback: str | None
    degraded: list[str]
    experiment: dict[str, str] | None
    versions: dict[str, str]
    offers: list[OfferView] = []
    trace: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
