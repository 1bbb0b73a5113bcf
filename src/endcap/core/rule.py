"""Rules as data: condition, effect, scope and schedule. Control data of kind `rule`."""

from typing import Literal

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a rule; an unknown field is refused when the rule is saved."""


class Schedule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a rule holds; every part that is given must fit.

    `from` and `until` are ISO 8601 (until is exclusive); `months` 1 to 12; `weekdays` 1 (Monday)
    to 7; `hours` stretches such as `09:00-18:00`, which may run over midnight; all but the first
    two are read in `time_zone` (IANA name).
    """

    from_: str | None = msgspec.field(default=None, name="from")
    until: str | None = None
    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[str, ...] = ()
    time_zone: str = "UTC"


class FilterEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="filter"):
    """`only`: nothing but the matching products is shown; `never`: none of them is."""

    mode: Literal["only", "never"]


class BoostEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="boost"):
    """Scores of matching products times `factor` (above 1)."""

    factor: float


class BuryEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="bury"):
    """Scores of matching products times `factor` (0 to 1)."""

    factor: float


class PinEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="pin", omit_defaults=True):
    """Products put into `slot` (from 1) and the slots after it.

    The products named, else the best matching candidates (`count` of them). A pin obeys
    eligibility; `forced` shows a product that is live whatever the filters say.
    """

    slot: int
    products: tuple[str, ...] = ()
    count: int = 1
    forced: bool = False


class QuotaEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="quota"):
    """At least `share` (0 to 1) of the slate matches, as long as enough such products exist."""

    share: float


class BadgeEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="badge"):
    """Matching products in the slate carry a badge."""

    badge: str
    text: str = ""


class OfferEffect(Struct, frozen=True, kw_only=True, tag_field="type", tag="offer"):
    """The answer carries the offer of this name, on matching products."""

    offer: str


Effect = (
    FilterEffect | BoostEffect | BuryEffect | PinEffect | QuotaEffect | BadgeEffect | OfferEffect
)


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule as edited.

    `when` is an expression over visitor, seed, cart, request and now that switches the rule on;
    `where` one over the product (and those) that says which products it is about; empty means
    always, and all. `placements` and `zones` empty mean every one. Higher `priority` goes first.
    """

    effect: Effect
    title: str = ""
    when: str = ""
    where: str = ""
    placements: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    schedule: Schedule | None = None
    priority: int = 0
    enabled: bool = True
