"""What a shop decides by hand: lists and badges; and what shoppers say of their own profiles."""

from decimal import Decimal
from typing import Literal

import msgspec

from .rule import Schedule


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of control data; an unknown field is refused when it is saved."""


class CuratedList(Decision, frozen=True, kw_only=True, omit_defaults=True):
    """Products chosen by hand, in their order; the strategy `curated` shows them."""

    title: str = ""
    products: tuple[str, ...] = ()


class Alias(Decision, frozen=True, kw_only=True):
    """Another name of a product: events that name it count for `product` from then on."""

    product: str


class SavedReport(Decision, frozen=True, kw_only=True, omit_defaults=True):
    """A report to look at again: by what, over the last `days`, and who gets the credit."""

    title: str = ""
    group_by: str = "placement"
    days: int = 28
    model: Literal["last", "any"] = "last"


class Discount(Decision, frozen=True, kw_only=True, omit_defaults=True):
    """What is taken off: a part of the price, or an amount (a decimal) of a currency."""

    percent: float | None = None
    amount: Decimal | None = None
    currency: str | None = None


class Offer(Decision, frozen=True, kw_only=True, omit_defaults=True):
    """A discount or some products, for some visitors, for a time.

    It is made to visitors of one of the `segments`, to requests of one of the `zones` and
    `placements` (empty: to all), while the `schedule` holds. `budget` is how often it is made in
    all, `per_visitor` how often to one visitor within `per_days`. From the part `holdout` of the
    visitors it is kept back, always the same ones, and that is logged as the control. Higher
    `priority` goes first.
    """

    title: str = ""
    text: str = ""
    products: tuple[str, ...] = ()
    discount: Discount | None = None
    segments: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    placements: tuple[str, ...] = ()
    schedule: Schedule | None = None
    budget: int | None = None
    per_visitor: int | None = None
    per_days: int = 7
    holdout: float = 0.0
    priority: int = 0
    enabled: bool = True


class BadgeSettings(Decision, frozen=True, kw_only=True):
    """When products are flagged.

    `low_stock` is the number left from which on a product is called low in stock, 0 for never;
    `low_stock_by_category` gives other numbers for categories and all below them, the deepest
    first. Such a badge may be shown for `low_stock_minutes`. A product is new for `new_days`, back
    in stock for `back_in_stock_days`, and its price dropped for `price_drop_days` when it is at
    least `price_drop_percent` below the lowest price of the 30 days before. The first
    `bestseller_places` of a category that sells at least `bestseller_of` products are bestsellers.
    `off` lists badge types that are not wanted.
    """

    low_stock: int = 5
    low_stock_by_category: dict[str, int] = {}
    low_stock_minutes: int = 60
    new_days: int = 30
    back_in_stock_days: int = 7
    price_drop_days: int = 14
    price_drop_percent: float = 5.0
    bestseller_places: int = 3
    bestseller_of: int = 10
    off: tuple[str, ...] = ()


class Corrections(Decision, frozen=True, kw_only=True, omit_defaults=True):
    """What a shopper said of their own profile: facets not to go by, and weights set by hand.

    A facet reads like `brand:Acme`; a weight goes from -1 (keep away) to 1 (most of all).
    """

    muted: tuple[str, ...] = ()
    weights: dict[str, float] = {}


NO_CORRECTIONS = Corrections()


class Facet(msgspec.Struct, frozen=True):
    """One thing a visitor seems to like: weight up to 1 (the strongest), and the events behind it.

    `corrected` says that the shopper set the weight.
    """

    facet: str
    weight: float
    events: int
    corrected: bool = False


class Profile(msgspec.Struct, frozen=True):
    """A visitor's affinities, strongest first, and what the shopper muted."""

    facets: list[Facet]
    muted: list[str]
    events: int
