"""The shop's decisions in memory, as the request path reads them."""

import hashlib
from collections.abc import Callable

import msgspec

from endcap.core.merchant import (
    NO_CORRECTIONS,
    Alias,
    BadgeSettings,
    Corrections,
    CuratedList,
    Offer,
)

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
        self.aliases: dict[str, Alias] = {}
        self.corrections: dict[str, Corrections] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._stamp: str | None = None

    def corrections_of(self, visitor: str | None) -> Corrections:
        """What a visitor (a pseudonym) said of their profile."""
        return self.corrections.get(visitor, NO_CORRECTIONS) if visitor else NO_CORRECTIONS

    def changed(self, kind: str, name: str, version: int) -> None:
        """A list, an offer or the badges have another version; 0 when they are gone."""
        self._versions.pop((kind, name), None)
        if version:
            self._versions[kind, name] = version
        self._stamp = None

    @property
    def stamp(self) -> str:
        """The same wherever the same versions of lists, offers and badges are live."""
        if self._stamp is None:
            text = msgspec.msgpack.encode(sorted(self._versions.items()))
            self._stamp = hashlib.blake2b(text, digest_size=12).hexdigest()
        return self._stamp
