"""The shop's decisions in memory, as the request path reads them."""

from collections.abc import Callable

import msgspec

from endcap.core.merchant import NO_CORRECTIONS, BadgeSettings, Corrections, CuratedList, Offer

from .offer_ledger import OfferLedger


class ActiveOffer(msgspec.Struct, frozen=True, eq=False):
    """An offer in use; `holds` takes UTC milliseconds (None: always)."""

    offer: Offer
    version: int
    holds: Callable[[int], bool] | None = None


class Merchant:
    """Lists, offers, badges and shoppers' corrections of one shop; kept when a snapshot comes."""

    def __init__(self) -> None:
        self.lists: dict[str, CuratedList] = {}
        self.offers: dict[str, ActiveOffer] = {}
        self.ledger = OfferLedger()
        self.badges = BadgeSettings()
        self.corrections: dict[str, Corrections] = {}

    def corrections_of(self, visitor: str | None) -> Corrections:
        """What a visitor (a pseudonym) said of their profile."""
        return self.corrections.get(visitor, NO_CORRECTIONS) if visitor else NO_CORRECTIONS
